package report

import (
	"fmt"
	"maps"
	"strings"

	"pushbench/results/metric"
	"pushbench/results/summary"
)

// irregularities says what a server did to messages and connections, besides losing messages, which the table has.
func irregularities(row summary.Row) (lines []string) {
	l, p, c := row.Pooled.Ledger, row.Pooled.Publishes, row.Pooled.Connect
	var received []string
	for _, one := range []struct {
		n    int64
		what string
	}{{l.Duplicates, "duplicate"}, {l.Corrupt, "corrupt"}, {l.Unexpected - l.Corrupt, "of another topic or run"}, {l.Reordered, "out of order"}} {
		if one.n > 0 {
			received = append(received, metric.Count(one.n)+" "+one.what)
		}
	}
	if len(received) > 0 {
		lines = append(lines, fmt.Sprintf("%s: of %s received messages, %s.", row.Label(), metric.Count(l.Received), strings.Join(received, ", ")))
	}
	switch failed := p.Sent - p.Acknowledged; {
	case p.Sent > 0 && p.Unknown == p.Sent:
		lines = append(lines, fmt.Sprintf("%s: none of %s publications was acknowledged; without publish.ack none can be.", row.Label(), metric.Count(p.Sent)))
	case failed > 0:
		by := maps.Collect(maps.All(p.FailedBy))
		if p.Unknown > 0 {
			by["no response"] = p.Unknown
		}
		lines = append(lines, fmt.Sprintf("%s: of %s publications sent, not acknowledged: %s.", row.Label(), metric.Count(p.Sent), byCause(failed, by)))
	}
	if c.Lost > 0 {
		lines = append(lines, fmt.Sprintf("%s: connections lost: %s.", row.Label(), byCause(c.Lost, c.LostBy)))
	}
	return lines
}

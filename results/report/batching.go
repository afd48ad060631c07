package report

import (
	"fmt"
	"slices"
	"strings"

	"pushbench/results"
	"pushbench/results/metric"
	"pushbench/results/summary"
	"pushbench/scenarios/transports"
)

// batchingMetrics are where long polling, which batches by nature, may beat a
// WebSocket that writes every message by itself.
var batchingMetrics = []string{metric.P50, metric.P99, metric.CPUPerMessage}

// A rivalry is a row of long polling and one of WebSocket with the same batching delay.
type rivalry [2]summary.Row

// batchingSentences say, where batching delays were swept, whether long polling beats
// WebSocket without one, and whether the largest one undoes that.
func (r *Report) batchingSentences() (said []string) {
	if !r.Run.Manifest.SweptBatchingDelay() {
		return nil
	}
	stacks := r.byStack()
	for _, stack := range stacks {
		var none, most rivalry
		swept := true
		for i, transport := range []string{transports.LongPoll, transports.WebSocket} {
			rows := slices.DeleteFunc(slices.Clone(stack.rows), func(r summary.Row) bool { return r.Transport != transport })
			if len(rows) < 2 {
				swept = false
				break
			}
			slices.SortFunc(rows, func(a, b summary.Row) int { return int(a.BatchingDelay - b.BatchingDelay) })
			none[i], most[i] = rows[0], rows[len(rows)-1]
		}
		if !swept || none[0].BatchingDelay == most[0].BatchingDelay || none[0].BatchingDelay != none[1].BatchingDelay || most[0].BatchingDelay != most[1].BatchingDelay {
			continue
		}
		on := ""
		if len(stacks) > 1 {
			on = " on " + results.Plain(stack.stack)
		}
		said = append(said, fmt.Sprintf("Messages a write%s, %s and %s: %s with a flush window of %s, %s with %s.", on, none.title(0), none.title(1),
			none.writes(), none.window(), most.writes(), most.window()))
		for _, metric := range batchingMetrics {
			said = append(said, r.inversion(on, metric, none, most))
		}
	}
	return said
}

func (p rivalry) title(i int) string { return transports.Of(p[i].Transport).Title }

func (p rivalry) window() string {
	return metric.Number(metric.Milliseconds(p[0].BatchingDelay)) + " ms"
}

func (p rivalry) writes() string {
	return fmt.Sprintf("%s and %s", p[0].Value(metric.MessagesPerBatch), p[1].Value(metric.MessagesPerBatch))
}

// against gives both figures with their ranges and their batching delay.
func (p rivalry) against(name string) string {
	return strings.TrimSpace(fmt.Sprintf("%s against %s %s with a flush window of %s",
		valueAndRange(p[0], name), valueAndRange(p[1], name), metric.ByName(name).Unit, p.window()))
}

// inversion says whether long polling is below WebSocket, first without a batching
// delay and then with the largest.
func (r *Report) inversion(on, name string, none, most rivalry) string {
	title := results.Capital(metric.ByName(name).Title) + on
	polls, sockets := none.title(0), none.title(1)
	unknown := func(p rivalry) string {
		said := "which cannot be told"
		if why := whyUnranked(p[:], name); why != "" {
			said += "; " + why
		}
		return said
	}
	switch r.told(none[0], none[1], name) {
	case 0:
		return fmt.Sprintf("%s, whether %s beats %s, %s: %s; %s.", title, polls, sockets, unknown(none), none.against(name), most.against(name))
	case +1:
		return fmt.Sprintf("%s: no inversion here, %s does not beat %s: %s; %s.", title, polls, sockets, none.against(name), most.against(name))
	}
	then := "and it is gone"
	switch r.told(most[0], most[1], name) {
	case 0:
		then = "whether it goes, " + unknown(most)
	case -1:
		then = "and it stays"
	}
	return fmt.Sprintf("%s: inversion, %s beats %s: %s; %s: %s.", title, polls, sockets, none.against(name), then, most.against(name))
}

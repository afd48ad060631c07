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

// batchingMetrics are the metrics by which long polling, which always batches, may beat a WebSocket that
// writes every message separately.
var batchingMetrics = []string{metric.P50, metric.P99, metric.CPUPerMessage}

// A batchingPair is a row of long polling and a row of WebSocket with the same batching delay.
type batchingPair [2]summary.Row

// batchingSentences state, for a sweep of batching delays, whether long polling beats WebSocket without a
// delay, and whether the largest delay undoes that.
func (r *Report) batchingSentences() (all []Paragraph) {
	if !r.Run.Manifest.SweptBatchingDelay() {
		return nil
	}
	libraries := r.byLibrary()
	for _, l := range libraries {
		var smallest, largest batchingPair
		swept := true
		for i, transport := range []string{transports.LongPoll, transports.WebSocket} {
			rows := slices.DeleteFunc(slices.Clone(l.rows), func(r summary.Row) bool { return r.Transport != transport })
			if len(rows) < 2 {
				swept = false
				break
			}
			slices.SortFunc(rows, func(a, b summary.Row) int { return int(a.BatchingDelay - b.BatchingDelay) })
			smallest[i], largest[i] = rows[0], rows[len(rows)-1]
		}
		if !swept || smallest[0].BatchingDelay == largest[0].BatchingDelay || smallest[0].BatchingDelay != smallest[1].BatchingDelay || largest[0].BatchingDelay != largest[1].BatchingDelay {
			continue
		}
		on := ""
		if len(libraries) > 1 {
			on = " on " + results.Plain(l.library)
		}
		all = append(all, items(fmt.Sprintf("Messages per write%s, %s and %s", on, smallest.title(0), smallest.title(1)),
			[]string{smallest.writes(), largest.writes()})...)
		for _, metric := range batchingMetrics {
			all = append(all, r.batchingEffect(on, metric, smallest, largest)...)
		}
	}
	return all
}

func (p batchingPair) title(i int) string { return transports.Of(p[i].Transport).Title }

func (p batchingPair) delay() string {
	return metric.Number(metric.Milliseconds(p[0].BatchingDelay)) + " ms"
}

// writes is the number of messages per write of both.
func (p batchingPair) writes() string {
	return fmt.Sprintf("batching delay %s: %s and %s", p.delay(), p[0].Typical(metric.MessagesPerBatch), p[1].Typical(metric.MessagesPerBatch))
}

// values are both values with their ranges.
func (p batchingPair) values(name string) string {
	return strings.TrimSpace(fmt.Sprintf("batching delay %s: %s against %s %s",
		p.delay(), valueAndRange(p[0], name), valueAndRange(p[1], name), metric.ByName(name).Unit))
}

// batchingEffect states whether long polling is below WebSocket, first with the smallest batching delay and
// then with the largest.
func (r *Report) batchingEffect(on, name string, smallest, largest batchingPair) []Paragraph {
	title := results.Capital(metric.ByName(name).Title) + on
	polls, sockets := smallest.title(0), smallest.title(1)
	openOn := func(p batchingPair) string {
		if why := whyUnranked(p[:], name); why != "" {
			return "inconclusive, because " + why
		}
		return "inconclusive"
	}
	conclusion := ""
	switch r.ordered(smallest[0], smallest[1], name) {
	case 0:
		conclusion = fmt.Sprintf("%s against %s is %s", polls, sockets, openOn(smallest))
	case +1:
		conclusion = fmt.Sprintf("%s does not beat %s", polls, sockets)
	default:
		then := "it does not"
		switch r.ordered(largest[0], largest[1], name) {
		case 0:
			then = "the order is " + openOn(largest)
		case -1:
			then = "it still does"
		}
		conclusion = fmt.Sprintf("%s beats %s; with the largest batching delay %s", polls, sockets, then)
	}
	return items(title+": "+conclusion+". Values", []string{smallest.values(name), largest.values(name)})
}

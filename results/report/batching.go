package report

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"pushbench/results"
	"pushbench/results/metric"
	"pushbench/results/summary"
	"pushbench/scenarios/transports"
)

// batchingMetrics are where long polling, which batches by nature, may beat a
// WebSocket that writes every message by itself.
var batchingMetrics = []string{metric.P50, metric.P99, metric.CPUPerMessage}

// batchingSentences say, where flush windows were swept, whether long polling beats
// WebSocket without one, and whether the largest one undoes that.
func (r *Report) batchingSentences() []string {
	if !r.Run.Manifest.SweptFlush() {
		return nil
	}
	stacks := byStack(r.Summary.Rows)
	var said []string
	for _, stack := range stacks {
		polls, sockets := stack.of(transports.LongPoll), stack.of(transports.WebSocket)
		if len(polls) < 2 || len(sockets) < 2 {
			continue
		}
		none, most := [2]summary.Row{polls[0], sockets[0]}, [2]summary.Row{polls[len(polls)-1], sockets[len(sockets)-1]}
		if none[0].Flush == most[0].Flush || none[0].Flush != none[1].Flush || most[0].Flush != most[1].Flush {
			continue
		}
		on := ""
		if len(stacks) > 1 {
			on = " on " + results.Plain(stack.stack)
		}
		said = append(said, writesSaid(on, none, most))
		for _, metric := range batchingMetrics {
			said = append(said, r.inversion(on, metric, none, most))
		}
	}
	return said
}

// of are a transport's rows by rising flush window.
func (s stackRows) of(transport string) []summary.Row {
	rows := slices.DeleteFunc(slices.Clone(s.rows), func(r summary.Row) bool { return r.Transport != transport })
	slices.SortFunc(rows, func(a, b summary.Row) int { return int(a.Flush - b.Flush) })
	return rows
}

// writesSaid is what the flush window does by itself.
func writesSaid(on string, none, most [2]summary.Row) string {
	return fmt.Sprintf("Messages a write%s, %s and %s: %s and %s with a flush window of %s, %s and %s with %s.", on, titleOf(none[0]), titleOf(none[1]),
		none[0].Value(metric.MessagesPerBatch), none[1].Value(metric.MessagesPerBatch), window(none[0].Flush),
		most[0].Value(metric.MessagesPerBatch), most[1].Value(metric.MessagesPerBatch), window(most[0].Flush))
}

func titleOf(r summary.Row) string { return transports.Of(r.Transport).Title }

func window(flush time.Duration) string { return metric.Number(metric.Milliseconds(flush)) + " ms" }

// inversion says whether long polling is below WebSocket, first without a flush
// window and then with the largest.
func (r *Report) inversion(on, name string, none, most [2]summary.Row) string {
	title := results.Capital(metric.ByName(name).Title) + on
	polls, sockets := titleOf(none[0]), titleOf(none[1])
	before, after := against(name, none), against(name, most)
	unknown := func(pair [2]summary.Row) string { return "which cannot be told" + whyUnranked(pair[:], name) }
	switch r.told(none[0], none[1], name) {
	case 0:
		return fmt.Sprintf("%s, whether %s beats %s, %s: %s; %s.", title, polls, sockets, unknown(none), before, after)
	case +1:
		return fmt.Sprintf("%s: no inversion here, %s does not beat %s: %s; %s.", title, polls, sockets, before, after)
	}
	then := "and it is gone"
	switch r.told(most[0], most[1], name) {
	case 0:
		then = "whether it goes, " + unknown(most)
	case -1:
		then = "and it stays"
	}
	return fmt.Sprintf("%s: inversion, %s beats %s: %s; %s: %s.", title, polls, sockets, before, then, after)
}

// against gives both figures with their ranges and their flush window.
func against(name string, pair [2]summary.Row) string {
	unit := metric.ByName(name).Unit
	return strings.TrimSpace(fmt.Sprintf("%s against %s %s with a flush window of %s",
		valueAndRange(pair[0], name), valueAndRange(pair[1], name), unit, window(pair[0].Flush)))
}

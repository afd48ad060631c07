package report

import (
	"pushbench/results"
	"pushbench/results/metric"
	"pushbench/results/summary"
)

// withinSection has each trial's quantiles with their within-run intervals.
func withinSection(s summary.Summary) section {
	all := section{
		Title: "Each valid trial, with within-run intervals",
		Note: "In brackets the within-run 95 % interval, from order statistics of the trial's independent observations: how well this trial knows its own quantile. " +
			"It says nothing of what another trial would find; the spread from trial to trial does.",
		Head: []string{"transport", "block", "independent n"},
	}
	for _, q := range summary.WithinQuantiles {
		all.Head = append(all.Head, metric.ByName(q.Metric).Title+", ms")
	}
	for _, r := range s.Rows {
		for _, t := range r.Trials {
			all.Rows = append(all.Rows, line{Cells: withinCells(t)})
		}
	}
	return all
}

func withinCells(t results.Trial) []string {
	cells := []string{t.CaseName(), metric.Count(int64(t.Block)), metric.Count(t.Latency.Independent)}
	for _, q := range summary.WithinQuantiles {
		said := summary.Measure(q.Metric, t).String()
		if over, ok := summary.Within(t.Latency, q.Q); ok {
			said += " (" + between(over) + ")"
		}
		cells = append(cells, said)
	}
	return cells
}

// withinHead names the columns of withinRecord.
func withinHead() []string {
	var head []string
	for _, q := range summary.WithinQuantiles {
		head = append(head, q.Metric+"_within_run_lo_ms", q.Metric+"_within_run_hi_ms")
	}
	return head
}

// withinRecord are the ends of a trial's intervals, for machines; empty where
// the quantile is not printed.
func withinRecord(t results.Trial) []string {
	var record []string
	for _, q := range summary.WithinQuantiles {
		over, ok := summary.Within(t.Latency, q.Q)
		if !ok {
			over = summary.Range{Lo: summary.Value{Known: summary.NotShown}, Hi: summary.Value{Known: summary.NotShown}}
		}
		record = append(record, cell(over.Lo), cell(over.Hi))
	}
	return record
}

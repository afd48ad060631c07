package report

import (
	"slices"
	"time"

	"pushbench/results/metric"
	"pushbench/results/summary"
)

// freshnessSection has the transports whose ages were measured: runs from before there
// were any have none.
func freshnessSection(s summary.Summary) section {
	all := section{
		Title: "Freshness: how old what a client holds is",
		Note: "The age of information: at each instant, how long ago the newest message that the client holds of a topic was due. Quantiles are shares of the time. " +
			"Covered is the share of it in which a message was held; uncovered is before the first came; never is of topics that were published to and of which none came in the window. Milliseconds.",
		Head: []string{"transport", "mean", "p50", "p99", "oldest", "covered", "uncovered", "never", "superseded"},
	}
	for _, r := range s.Rows {
		if f := r.Pooled.Freshness; f.Subscribed > 0 {
			all.Rows = append(all.Rows, line{Cells: slices.Concat([]string{
				r.Name, r.Value(metric.AgeMean).String(), summary.AgeQuantile(r.Pooled, 0.5).String(), r.Value(metric.AgeP99).String(), millis(f.Oldest),
			}, shares(f.Subscribed, f.Covered, f.Uncovered, f.Never), []string{r.Value(metric.Superseded).String()})})
		}
	}
	return all
}

// shares are parts of a time, in percent.
func shares(whole time.Duration, parts ...time.Duration) (cells []string) {
	for _, part := range parts {
		cells = append(cells, metric.Number(100*float64(part)/float64(whole))+" %")
	}
	return cells
}

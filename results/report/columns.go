package report

import (
	"slices"

	"pushbench/results"
	"pushbench/results/metric"
)

// withWrites puts what a flush window does to the writes, where one is swept, in
// the place of connecting, which it does nothing to.
func withWrites(m results.Manifest, all []column) []column {
	if !m.SweptFlush() {
		return all
	}
	kept := slices.DeleteFunc(all, func(c column) bool { return c.head == "connect" })
	return append(kept, column{metric.MessagesPerBatch, "messages", "/write"})
}

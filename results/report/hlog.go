package report

import (
	"io"
	"slices"

	"pushbench/results"
	"pushbench/results/summary"
)

// excludedTag precedes the tag of intervals that are part of no result.
const excludedTag = "excluded:"

// IntervalLog writes the delivery latencies of each second as an HdrHistogram interval log. The tag is the
// configuration: its lines have the values of its .hgrm file. The intervals of invalid, repeated and
// interrupted trials have a tag of their own. One line has no tag, because Java's HistogramLogProcessor fails
// without one unless it is given a tag; it is empty, so that the sum of all lines counts nothing twice.
func (r *Report) IntervalLog(w io.Writer) error {
	header := results.HlogHeader(r.Run.Manifest.Started, "Delivery latency in nanoseconds, one tag per configuration; "+
		excludedTag+" intervals that are part of no result; the line without a tag is empty")
	untagged, err := results.HlogLine("", results.Interval{})
	if err != nil {
		return err
	}
	if _, err := w.Write(append(header, untagged...)); err != nil {
		return err
	}
	for _, i := range r.Run.Intervals {
		tag := results.Configuration{Name: i.ConfigurationName()}.Key()
		if !slices.ContainsFunc(r.Summary.Rows, func(row summary.Row) bool { return row.Has(i) }) {
			tag = excludedTag + tag
		}
		line, err := results.HlogLine(tag, i)
		if err != nil {
			return err
		}
		if _, err := w.Write(line); err != nil {
			return err
		}
	}
	return nil
}

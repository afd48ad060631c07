package report

import (
	"fmt"
	"io"

	"pushbench/results/summary"
)

// ticksPerHalfDistance is the number of lines for each halving of what is left
// to 100 %: HdrHistogram's own default.
const ticksPerHalfDistance = 5

// Percentiles writes a row's delivery latencies as an .hgrm file, in
// milliseconds. Such a file has no place for what never arrived, so it is
// counted in a comment.
func Percentiles(w io.Writer, r summary.Row) error {
	const nanosecondsPerMillisecond = 1e6
	hdr := r.Pooled.Latency.Histogram.HDR()
	if hdr == nil {
		return nil
	}
	if _, err := hdr.PercentilesPrint(w, ticksPerHalfDistance, nanosecondsPerMillisecond); err != nil {
		return err
	}
	l := r.Pooled.Latency
	_, err := fmt.Fprintf(w, "#[Never arrived, in no line above = %d, beyond the bounds = %d]\n", l.Infinite, l.Histogram.Overflow())
	return err
}

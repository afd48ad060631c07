// Package calibrate holds the instrument against what is known without it: the kernel's own
// count, a process that uses up as much as it was ordered to, and itself without recording.
//
// It stands above trial. Nothing that measures may import it.
package calibrate

import (
	"fmt"
	"io"
	"math"
	"text/tabwriter"

	"pushbench/results/metric"
)

// A Row is one comparison of a calibration.
type Row struct {
	What      string
	Unit      string
	Theory    float64 // what is known without the instrument
	Measured  float64 // what the instrument says
	Tolerance float64 // largest difference allowed, in Unit; 0: none
}

// Pass says whether the instrument is right.
func (r Row) Pass() bool { return math.Abs(r.Measured-r.Theory) <= r.Tolerance }

// percent of a figure, as a tolerance.
func percent(n, of float64) float64 { return n / 100 * math.Abs(of) }

// RowTable writes rows, one a line.
func RowTable(w io.Writer, rows []Row) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "what\ttheory\tmeasured\tallowed\tunit\t")
	for _, r := range rows {
		verdict := "ok"
		if !r.Pass() {
			verdict = "WRONG"
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t± %s\t%s\t%s\n", r.What, metric.Number(r.Theory), metric.Number(r.Measured), metric.Number(r.Tolerance), r.Unit, verdict)
	}
	return t.Flush()
}

package bench

import (
	"fmt"
	"io"
	"math"
	"text/tabwriter"

	"pushbench/results/metric"
)

// Calibration holds an instrument against what is known without it: the kernel's
// own count, or a process that was told what to use up.

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

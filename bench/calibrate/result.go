// Package calibrate holds the instrument against what is known without it: the kernel's own
// count, and a process that uses up as much as it was ordered to.
//
// Nothing that measures may import it.
package calibrate

import "math"

// A Row is one comparison of a calibration.
type Result struct {
	What      string
	Unit      string
	Expected  float64 // what is known without the instrument
	Measured  float64 // what the instrument says
	Tolerance float64 // largest difference allowed, in Unit; 0: none
}

// Pass says whether the instrument is right.
func (r Result) Pass() bool { return math.Abs(r.Measured-r.Expected) <= r.Tolerance }

// percent of a figure, as a tolerance.
func percent(n, of float64) float64 { return n / 100 * math.Abs(of) }

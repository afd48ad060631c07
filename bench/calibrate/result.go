// Package calibrate compares measurements with independent values: the counters of the
// kernel, and a process that uses a requested amount of CPU time and memory.
//
// Code that measures must not import it.
package calibrate

import "math"

// A Result is one comparison of a calibration.
type Result struct {
	What      string
	Unit      string
	Expected  float64 // known independently
	Measured  float64 // by pushbench
	Tolerance float64 // largest allowed difference, in Unit; 0: none
}

// Pass reports whether the difference is allowed.
func (r Result) Pass() bool { return math.Abs(r.Measured-r.Expected) <= r.Tolerance }

// percent returns n percent of a value as a tolerance.
func percent(n, of float64) float64 { return n / 100 * math.Abs(of) }

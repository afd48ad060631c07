package selftest

import (
	"fmt"

	"pushbench/bench/calibrate"
	"pushbench/scenarios"
)

// costs are the proofs in which the kernel, or a process that knows what it takes,
// has the last word. That an interface counts the same bytes wants root, and is a test.
var costs = []claim{
	{name: "tcp", says: "the bytes that the clients count are those that TCP counts", on: "linux", run: tcpBytes},
	{name: "cpu", says: "CPU read from outside is what a process burns", run: func(l *lab) ([]Result, error) {
		return calibrated(calibrate.CPU(l.ctx, []string{l.options.Executable, "stub"}))
	}},
	{name: "memory", says: "memory a client is what a process takes for each", on: "linux", run: func(l *lab) ([]Result, error) {
		return calibrated(calibrate.Memory(l.ctx, []string{l.options.Executable, "stub"}))
	}},
}

func tcpBytes(l *lab) ([]Result, error) {
	accounts, err := calibrate.Wire(l.ctx, l.options.Engine, func(t scenarios.Transport, listen string, secured bool) []string {
		return []string{l.options.Executable, "serve", string(t), "--control", "--listen", listen, fmt.Sprintf("--tls=%t", secured)}
	})
	return calibrated(calibrate.WireRows(accounts), err)
}

// calibrated are the rows of a calibration, as they are printed here.
func calibrated(rows []calibrate.Result, err error) (all []Result, _ error) {
	for _, r := range rows {
		row := within(r.What, " "+r.Unit, r.Expected, r.Measured, r.Tolerance)
		if r.Tolerance == 0 {
			row.Allowed = ""
		}
		all = append(all, row)
	}
	return all, err
}

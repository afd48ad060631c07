package selftest

import (
	"fmt"

	"pushbench/bench/calibrate"
	"pushbench/scenarios"
)

// costChecks compare costs with the kernel's counters, or with a process of known cost.
// Comparison with the byte counters of an interface requires root; it is a test.
var costChecks = []check{
	{name: "tcp", title: "clients count the same bytes as TCP", on: "linux", run: tcpBytes},
	{name: "cpu", title: "CPU time read from outside equals the CPU time that a process uses", run: func(l *lab) ([]Result, error) {
		return calibrated(calibrate.CPU(l.ctx, []string{l.options.Executable, "stub"}))
	}},
	{name: "memory", title: "memory per client equals the memory that a process allocates per client", on: "linux", run: func(l *lab) ([]Result, error) {
		return calibrated(calibrate.Memory(l.ctx, []string{l.options.Executable, "stub"}))
	}},
}

func tcpBytes(l *lab) ([]Result, error) {
	accounts, err := calibrate.Wire(l.ctx, l.options.Engine, func(t scenarios.Transport, listen string, secured bool) []string {
		return []string{l.options.Executable, "serve", string(t), "--control", "--listen", listen, fmt.Sprintf("--tls=%t", secured)}
	})
	return calibrated(calibrate.WireRows(accounts), err)
}

// calibrated returns the rows of a calibration in the format of the self-test.
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

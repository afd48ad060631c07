package bench

import (
	"runtime"

	"pushbench/bench/cost"
	"pushbench/results"
)

// host describes this machine, as far as the system shows it.
func host() results.Host {
	h := results.Host{
		OS:    runtime.GOOS,
		Arch:  runtime.GOARCH,
		Cores: runtime.NumCPU(),
	}
	describe(&h)
	return h
}

// notShown lists what this system does not show.
func notShown() []string {
	shown := append([]string{}, cost.NotShown...)
	return append(shown, hostNotShown...)
}

// Package host describes this machine, judges whether it is suitable for benchmarking, and
// prevents the idle states of its cores while it monitors their stalls.
//
// It owns what is the machine's alone. It must know no trial and no scenario.
package host

import (
	"os"
	"runtime"
	"slices"
	"strings"

	"pushbench/bench/cost"
	"pushbench/results"
)

// Facts describes this machine, as far as the system shows it.
func Facts() results.Host {
	h := results.Host{
		OS:    runtime.GOOS,
		Arch:  runtime.GOARCH,
		Cores: runtime.NumCPU(),

		GoSettings: goEnvironment(),
	}
	describe(&h)
	return h
}

// NotShown lists what this system does not show.
func NotShown(h results.Host) []string {
	return slices.Concat(cost.NotShown, hostNotShown, unshown(h))
}

// goSettings change how Go's runtime behaves in both roles.
var goSettings = []string{"GOMAXPROCS", "GOGC", "GOMEMLIMIT", "GODEBUG"}

// goEnvironment are those that are set. Nothing else of the environment is kept: it may hold secrets.
func goEnvironment() map[string]string {
	set := map[string]string{}
	for _, name := range goSettings {
		if value, ok := os.LookupEnv(name); ok {
			set[name] = value
		}
	}
	return set
}

// LoadAverage is the kernel's, now; empty where it is not shown.
func LoadAverage() string { return readLine("/proc/loadavg") }

// readLine reads a one-line file of the kernel's; empty where there is none.
func readLine(path string) string {
	data, _ := os.ReadFile(path)
	return strings.TrimSpace(string(data))
}

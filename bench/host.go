package bench

import (
	"os"
	"runtime"

	"pushbench/bench/cost"
	"pushbench/results"
)

// Host describes this machine, as far as the system shows it.
func Host() results.Host {
	h := results.Host{
		OS:    runtime.GOOS,
		Arch:  runtime.GOARCH,
		Cores: runtime.NumCPU(),

		GoSettings: goEnvironment(),
	}
	describe(&h)
	return h
}

// notShown lists what this system does not show.
func notShown(h results.Host) []string {
	shown := append([]string{}, cost.NotShown...)
	shown = append(shown, hostNotShown...)
	return append(shown, unshown(h)...)
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

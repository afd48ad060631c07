// Package host describes this machine, checks whether it is suitable for benchmarking, and
// prevents the idle states of its cores while it monitors their stalls.
//
// It covers only the machine. It must not depend on trials or scenarios.
package host

import (
	"os"
	"runtime"
	"slices"
	"strings"
	"time"

	"pushbench/bench/clock"
	"pushbench/bench/cost"
	"pushbench/results"
)

// Facts describes this machine, as far as the system reports it.
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

// NotShown lists the values that this system does not report.
func NotShown(h results.Host) []string {
	return slices.Concat(cost.NotShown, hostNotShown, unshown(h))
}

// goSettings change how Go's runtime behaves in both roles.
var goSettings = []string{"GOMAXPROCS", "GOGC", "GOMEMLIMIT", "GODEBUG"}

// goEnvironment returns the Go settings of the environment. No other variable is recorded:
// it may hold a secret.
func goEnvironment() map[string]string {
	set := map[string]string{}
	for _, name := range goSettings {
		if value, ok := os.LookupEnv(name); ok {
			set[name] = value
		}
	}
	return set
}

// Uptime returns the time since the machine started, with the time that it was suspended, plus a constant. It cannot be
// set.
func Uptime() time.Duration { return time.Duration(clock.Now()) + clock.Asleep() }

// LoadAverage returns the current load average of the kernel, or "" if it is not available.
func LoadAverage() string { return readLine("/proc/loadavg") }

// BootID identifies the kernel that runs: it is the same in all containers of a machine, and another after each start. It
// is empty if the system does not report it.
func BootID() string { return readLine("/proc/sys/kernel/random/boot_id") }

// readLine reads a one-line file of the kernel; it returns "" if the file does not exist.
func readLine(path string) string {
	data, _ := os.ReadFile(path)
	return strings.TrimSpace(string(data))
}

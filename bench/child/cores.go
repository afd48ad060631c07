package child

import (
	"runtime"

	"pushbench/bench/cost"
)

// OwnCores are the cores that this process may be pinned to; none where the system
// offers no pinning.
func OwnCores() []int {
	cores, _ := cost.Affinity(0)
	return cores
}

// Available is how many cores this process may use.
func Available() int {
	if n := len(OwnCores()); n > 0 {
		return n
	}
	return runtime.NumCPU()
}

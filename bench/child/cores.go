package child

import (
	"runtime"

	"pushbench/bench/cost"
)

// OwnCores are the cores that this process may be pinned to; none if the operating system
// does not support pinning.
func OwnCores() []int {
	cores, _ := cost.Affinity(0)
	return cores
}

// Available is the number of cores that this process may use.
func Available() int {
	if n := len(OwnCores()); n > 0 {
		return n
	}
	return runtime.NumCPU()
}

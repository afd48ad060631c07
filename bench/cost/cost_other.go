//go:build !linux

package cost

import "errors"

// NotShown lists what this system does not show.
var NotShown = []string{"processor time, memory and context switches of the processes"}

var errNotShown = errors.New("this system does not show it")

// Read reads the usage of a live process.
func Read(int) (Usage, error) { return Usage{}, nil }

// Memory is the resident size of a process in bytes.
func Memory(int) (int64, error) { return 0, nil }

// PeakMemory is the largest resident size a process ever had, in bytes.
func PeakMemory(int) (int64, error) { return 0, nil }

// Affinity is the set of cores a process may run on.
func Affinity(int) ([]int, error) { return nil, errNotShown }

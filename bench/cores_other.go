//go:build !linux

package bench

import "runtime"

// onCores runs start: this system offers no pinning.
func onCores(_ []int, start func() error) error { return start() }

// ownCores are the cores this process may be pinned to: none, here.
func ownCores() []int { return nil }

// available is how many cores there are for us.
func available() int { return runtime.NumCPU() }

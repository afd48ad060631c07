//go:build !linux

package child

// OnCores runs start: this system offers no pinning.
func OnCores(_ []int, start func() error) error { return start() }

//go:build !linux

package child

// OnCores runs start: this operating system does not support pinning.
func OnCores(_ []int, start func() error) error { return start() }

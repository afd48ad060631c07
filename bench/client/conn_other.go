//go:build !linux

package client

// segments is not shown on this system.
func (t *tap) segments() TCP     { return TCP{} }
func (t *tap) lastSegments() TCP { return TCP{} }

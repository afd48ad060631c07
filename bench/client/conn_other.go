//go:build !linux

package client

// segments is not shown on this system.
func (c *conn) segments() TCP     { return TCP{} }
func (c *conn) lastSegments() TCP { return TCP{} }

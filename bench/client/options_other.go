//go:build !linux

package client

// This system does not expose these values.
func readTCP(int) TCP                              { return TCP{} }
func finalTCP(int) TCP                             { return TCP{} }
func fixedBuffers(int) (send, receive, known bool) { return false, false, false }
func congestion(int) string                        { return "" }

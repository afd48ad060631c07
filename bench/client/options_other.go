//go:build !linux

package client

// What is not shown on this system.
func readTCP(int) TCP                              { return TCP{} }
func lastTCP(int) TCP                              { return TCP{} }
func fixedBuffers(int) (send, receive, known bool) { return false, false, false }
func congestion(int) string                        { return "" }

//go:build !linux

package sock

// What is not shown on this system.
func fixedBuffers(int) (send, receive, told bool) { return false, false, false }
func congestion(int) string                       { return "" }

//go:build !linux

package sock

// fixedBuffers and congestion report nothing on this system.
func fixedBuffers(int) (send, receive, known bool) { return false, false, false }
func congestion(int) string                        { return "" }

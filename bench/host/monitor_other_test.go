//go:build !linux

package host

import "io"

// preventRefused has no kernel to request it from.
func preventRefused(in io.Reader, out io.Writer) error { return PreventIdle(in, out) }

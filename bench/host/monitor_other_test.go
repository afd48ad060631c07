//go:build !linux

package host

import "io"

// preventRefused is PreventIdle: this system has no such request.
func preventRefused(in io.Reader, out io.Writer) error { return PreventIdle(in, out) }

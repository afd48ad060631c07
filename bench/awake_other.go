//go:build !linux

package bench

import (
	"io"

	"pushbench/bench/child"
)

// KeepAwake cannot keep cores awake on this system, and watches nothing: it
// answers each line of in, until in ends.
func KeepAwake(in io.Reader, out io.Writer) error {
	say := child.NewLineWriter(out)
	return child.ReadLines(in, func(struct{}) error { return say.Send(Watched{}) })
}

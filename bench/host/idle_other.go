//go:build !linux

package host

import (
	"io"

	"pushbench/bench/child"
)

// PreventIdle neither prevents idle states nor monitors stalls on this system: it replies
// to each line of in with an empty report until in ends.
func PreventIdle(in io.Reader, out io.Writer) error {
	w := child.NewLineWriter(out)
	return child.ReadLines(in, func(struct{}) error { return w.Send(report{}) })
}

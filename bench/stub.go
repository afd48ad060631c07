package bench

import (
	"errors"
	"fmt"
	"io"
	"runtime"
	"runtime/debug"
	"time"

	"pushbench/bench/child"
)

// Stub is a process that uses up exactly what it is told to, so that what is read
// of it from outside can be held against its own account. It obeys the orders on
// in until that ends.
func Stub(in io.Reader, out io.Writer) error {
	// A collection of what the program's packages have made takes memory of its own, some
	// 700 KiB, whenever it comes: have it now, and none later.
	runtime.GC()
	debug.SetGCPercent(-1)
	say := child.NewLineWriter(out)
	return child.ReadLines(in, func(o stubOrder) error {
		if err := o.obey(); err != nil {
			return err
		}
		spent, err := ownCPU()
		if err != nil {
			return err
		}
		return say.Send(stubAccount{CPU: spent})
	})
}

// A stubOrder says what to use up. It is answered by a stubAccount when that is done.
type stubOrder struct {
	Burn  time.Duration `json:"burn_ns"`     // of CPU, by its own clock
	Touch int64         `json:"touch_bytes"` // of memory, and keep it
}

// A stubAccount is what a stub says of itself.
type stubAccount struct {
	CPU time.Duration `json:"cpu_ns"` // since it began
}

func (o stubOrder) obey() error {
	if o.Burn < 0 || o.Touch < 0 || o.Touch%pageSize != 0 {
		return fmt.Errorf("stub order %+v: allowed are 0 or more, and whole pages of %d bytes", o, pageSize)
	}
	return errors.Join(burn(o.Burn), touch(o.Touch))
}

// pageSize is what memory is counted in.
const pageSize = 4096

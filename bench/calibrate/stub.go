package calibrate

import (
	"errors"
	"fmt"
	"io"
	"runtime"
	"runtime/debug"
	"time"

	"golang.org/x/sys/unix"

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

// ownCPU is the process's own CPU clock.
func ownCPU() (time.Duration, error) {
	var ts unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_PROCESS_CPUTIME_ID, &ts); err != nil {
		return 0, fmt.Errorf("read own CPU clock: %w", err)
	}
	return time.Duration(ts.Nano()), nil
}

// burn uses up d of CPU, in whatever time that takes, by looking at the clock.
func burn(d time.Duration) error {
	begun, err := ownCPU()
	for now := begun; err == nil && now-begun < d; {
		now, err = ownCPU()
	}
	return err
}

// touch maps memory apart from Go's and writes to every page, for good.
func touch(size int64) error {
	if size == 0 {
		return nil
	}
	block, err := unix.Mmap(-1, 0, int(size), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANON)
	if err != nil {
		return fmt.Errorf("map %d bytes: %w", size, err)
	}
	for i := 0; i < len(block); i += pageSize {
		block[i] = 1
	}
	return nil
}

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

// Stub uses exactly the requested CPU time and memory, so that readings from outside can be
// compared with a known value. It executes the requests on in until in ends.
func Stub(in io.Reader, out io.Writer) error {
	// A garbage collection allocates about 700 KiB: run one now and none later.
	runtime.GC()
	debug.SetGCPercent(-1)
	w := child.NewLineWriter(out)
	return child.ReadLines(in, func(r stubRequest) error {
		if err := r.execute(); err != nil {
			return err
		}
		spent, err := ownCPU()
		if err != nil {
			return err
		}
		return w.Send(stubAccount{CPU: spent})
	})
}

// A stubRequest gives the resources to use. The stub replies with a stubAccount when done.
type stubRequest struct {
	Burn  time.Duration `json:"burn_ns"`     // CPU time, by the stub's CPU clock
	Touch int64         `json:"touch_bytes"` // memory, never freed
}

// A stubAccount is the report of a stub about itself.
type stubAccount struct {
	CPU time.Duration `json:"cpu_ns"` // since its start
}

// Limits of a request.
const (
	mostBurn  = time.Minute
	mostTouch = 1 << 30
)

func (r stubRequest) check() error {
	if r.Burn < 0 || r.Burn > mostBurn || r.Touch < 0 || r.Touch > mostTouch || r.Touch%pageSize != 0 {
		return fmt.Errorf("stub request %+v: allowed: 0 to %v, and 0 to %d bytes in multiples of the page size of %d", r, mostBurn, mostTouch, pageSize)
	}
	return nil
}

func (r stubRequest) execute() error {
	if err := r.check(); err != nil {
		return err
	}
	return errors.Join(burn(r.Burn), touch(r.Touch))
}

// pageSize is the unit of memory accounting in bytes.
const pageSize = 4096

// ownCPU reads the CPU clock of this process.
func ownCPU() (time.Duration, error) {
	var ts unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_PROCESS_CPUTIME_ID, &ts); err != nil {
		return 0, fmt.Errorf("read own CPU clock: %w", err)
	}
	return time.Duration(ts.Nano()), nil
}

// burn uses d of CPU time by polling the CPU clock.
func burn(d time.Duration) error {
	begun, err := ownCPU()
	for now := begun; err == nil && now-begun < d; {
		now, err = ownCPU()
	}
	return err
}

// touch maps memory outside the Go heap, writes to every page, and never frees it.
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

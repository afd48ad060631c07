package bench

import (
	"fmt"
	"time"

	"golang.org/x/sys/unix"
)

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

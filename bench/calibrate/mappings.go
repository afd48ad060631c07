package calibrate

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"

	"pushbench/bench/cost"
)

// mappingsRow compares the resident size of a child of ours with the sum of its
// mappings (/proc/PID/smaps), while it is stopped.
func mappingsRow(pid int) (row Result, err error) {
	if err := syscall.Kill(pid, syscall.SIGSTOP); err != nil {
		return row, fmt.Errorf("stop process %d: %w", pid, err)
	}
	defer func() { err = errors.Join(err, syscall.Kill(pid, syscall.SIGCONT)) }()
	known, err := mapped(pid)
	if err != nil {
		return row, err
	}
	read, err := cost.Memory(pid)
	return Result{What: "all of it, by the sum of its mappings", Unit: "B", Expected: float64(known), Measured: float64(read), Tolerance: pageSize}, err
}

// mapped is the sum of what is resident of each mapping, in bytes.
func mapped(pid int) (sum int64, err error) {
	listing, err := os.ReadFile(fmt.Sprintf("/proc/%d/smaps", pid))
	if err != nil {
		return 0, fmt.Errorf("read mappings of process %d: %w", pid, err)
	}
	for line := range strings.Lines(string(listing)) {
		var kib int64
		if n, _ := fmt.Sscanf(line, "Rss: %d kB", &kib); n == 1 {
			sum += kib << 10
		}
	}
	return sum, nil
}

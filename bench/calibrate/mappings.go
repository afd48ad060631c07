package calibrate

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"

	"pushbench/bench/cost"
)

// mappingsRow compares the resident size of a stopped child with the sum of its mappings
// (/proc/PID/smaps).
func mappingsRow(pid int) (row Result, err error) {
	if err := syscall.Kill(pid, syscall.SIGSTOP); err != nil {
		return row, fmt.Errorf("stop process %d: %w", pid, err)
	}
	defer func() { err = errors.Join(err, syscall.Kill(pid, syscall.SIGCONT)) }()
	expected, err := mapped(pid)
	if err != nil {
		return row, err
	}
	read, err := cost.Memory(pid)
	return Result{What: "resident size, compared with its mappings", Unit: "B", Expected: float64(expected), Measured: float64(read), Tolerance: pageSize}, err
}

// mapped returns the sum of the resident sizes of all mappings in bytes.
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

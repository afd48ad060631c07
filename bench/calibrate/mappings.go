package calibrate

import (
	"errors"
	"fmt"
	"math"
	"os"
	"strconv"
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
	if sum, err = resident(string(listing)); err != nil {
		return 0, fmt.Errorf("read mappings of process %d: %w", pid, err)
	}
	return sum, nil
}

// resident returns the sum of the resident sizes of a listing of mappings in bytes.
func resident(listing string) (sum int64, err error) {
	for line := range strings.Lines(listing) {
		size, found := strings.CutPrefix(line, "Rss:")
		if !found {
			continue
		}
		kib, found := strings.CutSuffix(strings.TrimSpace(size), " kB")
		n, err := strconv.ParseUint(kib, 10, 40)
		if err != nil || !found || int64(n)<<10 > math.MaxInt64-sum {
			return 0, fmt.Errorf("the line %q has no size in kB", strings.TrimSpace(line))
		}
		sum += int64(n) << 10
	}
	return sum, nil
}

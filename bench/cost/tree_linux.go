package cost

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"syscall"

	"github.com/prometheus/procfs"
)

// Descendants lists the live processes below a process, its children first.
func Descendants(pid int) (found []int, err error) {
	all, err := procfs.AllProcs()
	if err != nil {
		return nil, fmt.Errorf("list processes: %w", err)
	}
	children := map[int][]int{}
	for _, p := range all {
		stat, err := p.Stat()
		switch {
		case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ESRCH): // it has ended meanwhile
			continue
		case err != nil:
			return nil, fmt.Errorf("read the parent of process %d: %w", p.PID, err)
		case stat.State != "Z":
			children[stat.PPID] = append(children[stat.PPID], p.PID)
		}
	}
	for next := children[pid]; len(next) > 0; {
		found = append(found, next...)
		var below []int
		for _, child := range next {
			below = append(below, children[child]...)
		}
		next = below
	}
	slices.Sort(found)
	return found, nil
}

// Name is the name of a process; "?" if it has ended.
func Name(pid int) string {
	stat, err := read(pid, "name", procfs.Proc.Stat)
	if err != nil {
		return "?"
	}
	return stat.Comm
}

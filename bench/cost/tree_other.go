//go:build !linux

package cost

import (
	"fmt"

	"github.com/shirou/gopsutil/v4/process"
)

// Descendants lists the live processes below a process, its children first.
func Descendants(pid int) (found []int, err error) {
	p, err := process.NewProcess(int32(pid))
	if err != nil {
		return nil, fmt.Errorf("list the children of process %d: %w", pid, err)
	}
	children, err := p.Children()
	if err != nil {
		return nil, nil // it has none
	}
	for _, c := range children {
		below, err := Descendants(int(c.Pid))
		if err != nil {
			continue // it has ended meanwhile
		}
		found = append(append(found, int(c.Pid)), below...)
	}
	return found, nil
}

// Name is the name of a process; "?" if it has ended.
func Name(pid int) string {
	if p, err := process.NewProcess(int32(pid)); err == nil {
		if name, err := p.Name(); err == nil {
			return name
		}
	}
	return "?"
}

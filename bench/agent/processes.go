package agent

import (
	"errors"
	"io/fs"
	"slices"
	"time"

	"pushbench/bench/child"
	"pushbench/bench/cost"
	"pushbench/bench/validity"
	"pushbench/results"
)

// processes are a trial's processes in one role.
type processes []*child.Process

func serverProcesses(servers []*server) (all processes) {
	for _, s := range servers {
		if s.process != nil {
			all = append(all, s.process)
		}
	}
	return all
}

func generatorProcesses(generators []*driven) (all processes) {
	for _, g := range generators {
		if g.process != nil {
			all = append(all, g.process)
		}
	}
	return all
}

// memory is the sum of their memory, by one of the functions of package cost. A page reports the resident size only.
func (all processes) memory(read func(pid int) (int64, error)) (sum int64, err error) {
	for _, p := range all {
		if p.Page != nil {
			s, err := p.Page.Read()
			if err != nil {
				return 0, err
			}
			sum += s.Memory
			continue
		}
		pids, err := p.PIDs()
		if err != nil {
			return 0, err
		}
		for _, pid := range pids {
			bytes, err := read(pid)
			if hasEnded(p, err) {
				continue
			}
			if err != nil {
				return 0, err
			}
			if bytes == 0 { // not available on this operating system
				return 0, nil
			}
			sum += bytes
		}
	}
	return sum, nil
}

// hasEnded reports whether an error of reading one of the processes of a tree means that it has ended since it was
// listed.
func hasEnded(p *child.Process, err error) bool {
	return err != nil && (p.Tree || p.Root != 0) && !errors.Is(err, fs.ErrPermission)
}

// peak is the sum of their largest memory; 0 if pages report it, which have no such metric.
func (all processes) peak() (int64, error) {
	if slices.ContainsFunc(all, func(p *child.Process) bool { return p.Page != nil }) {
		return 0, nil
	}
	return all.memory(cost.PeakMemory)
}

// A reading is the resources that processes have used so far, by process.
type reading map[int]cost.Usage

func (all processes) usage() (reading, error) {
	used := reading{}
	for _, p := range all {
		if p.Page != nil {
			s, err := p.Page.Read()
			if err != nil {
				return nil, err
			}
			used[p.PID()] = cost.Usage{CPU: s.CPU}
			continue
		}
		pids, err := p.PIDs()
		if err != nil {
			return nil, err
		}
		for _, pid := range pids {
			u, err := cost.Read(pid)
			if hasEnded(p, err) {
				continue
			}
			if err != nil {
				return nil, err
			}
			used[pid] = u
		}
	}
	return used, nil
}

// addUsage adds the resources used between two readings to a role's cost. A process that ended in between is
// part of what its parent has reaped since, from its start on: what it had used before is subtracted.
func addUsage(role *results.Process, from, to reading) {
	for pid, last := range to {
		if last.CPU > 0 {
			role.Processes++
		}
		u := last.Minus(from[pid])
		role.CPU += u.CPU + last.Reaped - from[pid].Reaped
		role.User += u.User
		role.System += u.System
		role.ContextSwitches += u.ContextSwitches
	}
	for pid, first := range from {
		if _, live := to[pid]; !live {
			role.CPU -= first.CPU
		}
	}
}

// cpuTime is the CPU time of all processes between two readings.
func cpuTime(from, to reading) time.Duration {
	var p results.Process
	addUsage(&p, from, to)
	return p.CPU
}

// assignment compares their cores with the requested ones.
func (all processes) assignment(requested []int) Assignment {
	a := Assignment{Requested: requested, Got: all.affinity(requested), Number: len(requested)}
	if a.Number == 0 {
		a.Number = child.Available()
	}
	return a
}

// affinity returns the cores of the first process that does not run on the requested ones, or
// of the last process. It is empty if the operating system does not support pinning.
func (all processes) affinity(requested []int) (got []int) {
	for _, p := range all {
		got, _ = cost.Affinity(p.PID()) // of a supervisor, from which its descendants have it
		if !validity.Granted(requested, got) {
			break
		}
	}
	return got
}

package supervise

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/url"

	"pushbench/bench/cost"
	"pushbench/scenarios"
)

// Bill checks that the cost of a server that is running at an address can be read where its target file says. It
// returns the process that is billed with its descendants, or the page that reports the cost; neither if the cost is
// not measured.
func Bill(t *scenarios.Target, address string) (pid int, page *cost.Page, err error) {
	switch {
	case t.Cost.PID != 0:
		return t.Cost.PID, nil, readable(t.Cost.PID)
	case t.Cost.Prometheus == "":
		return 0, nil, nil
	}
	u, err := url.Parse(t.Cost.Prometheus)
	if err != nil {
		return 0, nil, err
	}
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return 0, nil, err
	}
	page = &cost.Page{URL: t.Cost.Prometheus, Address: net.JoinHostPort(host, cmp.Or(u.Port(), "80"))}
	if _, err := page.Read(); err != nil {
		return 0, nil, fmt.Errorf("cost.prometheus: %w", err)
	}
	return 0, page, nil
}

// readable checks that the CPU time and the memory of a process and its descendants can be read.
func readable(pid int) error {
	pids, err := cost.Tree(pid)
	if err != nil {
		return fmt.Errorf("cost.pid: %w", err)
	}
	for _, pid := range pids {
		if _, err := cost.Memory(pid); errors.Is(err, fs.ErrPermission) {
			return fmt.Errorf("cost.pid: the memory of process %d (%s) cannot be read, as it belongs to another user; run pushbench as that user or as root", pid, cost.Name(pid))
		}
	}
	return nil
}

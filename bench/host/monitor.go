package host

import (
	"context"
	"errors"
	"fmt"
	"time"

	"pushbench/bench/child"
	"pushbench/bench/validity"
)

// A report is a reply from the child of a Monitor.
type report struct {
	Prevention string          `json:"prevention,omitempty"` // how idle states are prevented; empty: they are not
	Stalls     validity.Stalls `json:"stalls"`               // since the previous report
}

// A Monitor is a child that prevents idle states of the cores and monitors their stalls: see
// PreventIdle. A nil Monitor does neither.
type Monitor struct {
	Process    *child.Process
	prevention string      // see report
	reports    chan report // closed when the child has exited
}

// WithMonitor does the work while a child monitors the cores: see StartMonitor.
func WithMonitor(argv []string, work func(*Monitor) error) error {
	m, err := StartMonitor(argv)
	if err != nil {
		return err
	}
	return errors.Join(work(m), m.End())
}

// StartMonitor starts a child that monitors the cores. Without an argument vector it starts none, and the Monitor is nil.
func StartMonitor(argv []string) (*Monitor, error) {
	if len(argv) == 0 {
		return nil, nil
	}
	p, err := child.Start("stall monitor", argv, child.Options{})
	if err != nil {
		return nil, err
	}
	m := &Monitor{Process: p, reports: make(chan report, 1)}
	go func() {
		defer close(m.reports)
		_ = child.ReadLines(p.Stdout, func(r report) error { m.reports <- r; return nil }) // request reports that the child ended
	}()
	first, err := m.request()
	if err != nil {
		return nil, errors.Join(err, m.End())
	}
	m.prevention = first.Prevention
	return m, nil
}

// End ends the child.
func (m *Monitor) End() error {
	if m == nil {
		return nil
	}
	return m.Process.End(child.ExitTimeout)
}

// Stalls returns the stalls of each core since the previous call.
func (m *Monitor) Stalls() (validity.Stalls, error) {
	if m == nil {
		return nil, nil
	}
	r, err := m.request()
	return r.Stalls, err
}

// Watch returns the stalls of each core during a period that begins now.
func (m *Monitor) Watch(ctx context.Context, during time.Duration) (validity.Stalls, error) {
	if _, err := m.Stalls(); err != nil {
		return nil, err
	}
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-time.After(during):
		return m.Stalls()
	}
}

func (m *Monitor) request() (report, error) {
	if err := m.Process.Send(struct{}{}); err != nil {
		return report{}, fmt.Errorf("%s: %w", m.Process.Name, err)
	}
	select {
	case r, ok := <-m.reports:
		if !ok {
			return r, fmt.Errorf("%s ended", m.Process.Name)
		}
		return r, nil
	case <-time.After(child.ResponseTimeout):
		return report{}, fmt.Errorf("%s does not reply", m.Process.Name)
	}
}

// Condition describes whether latencies include the wake-up time of a core.
func (m *Monitor) Condition() string {
	if m == nil || m.prevention == "" {
		return "CPU sleep states allowed: latencies include wake-up time"
	}
	return m.prevention + ": latencies exclude wake-up time"
}

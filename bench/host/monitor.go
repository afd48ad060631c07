package host

import (
	"context"
	"errors"
	"fmt"
	"time"

	"pushbench/bench/child"
	"pushbench/bench/validity"
)

// A report is what the child of a Monitor answers.
type report struct {
	Kept   string          `json:"kept,omitempty"` // how idle states are prevented; empty: they are not
	Stalls validity.Stalls `json:"stalls"`         // since the answer before
}

// A Monitor is a child that prevents idle states of the cores and monitors their stalls: see
// PreventIdle. A nil Monitor does neither.
type Monitor struct {
	Process *child.Process
	kept    string      // see report
	reports chan report // closed when the child has exited
}

// WithMonitor does the work while a child monitors the cores. Without an argument vector
// none does, and the Monitor is nil.
func WithMonitor(argv []string, work func(*Monitor) error) error {
	if len(argv) == 0 {
		return work(nil)
	}
	p, err := child.Start("keeper of the cores", argv, child.Options{})
	if err != nil {
		return err
	}
	m := &Monitor{Process: p, reports: make(chan report, 1)}
	go func() {
		defer close(m.reports)
		_ = child.ReadLines(p.Stdout, func(r report) error { m.reports <- r; return nil }) // ask reports why it ended
	}()
	first, err := m.ask()
	if err == nil {
		m.kept = first.Kept
		err = work(m)
	}
	return errors.Join(err, p.End(child.EndWait))
}

// Stalls returns the stalls of each core since the call before.
func (m *Monitor) Stalls() (validity.Stalls, error) {
	if m == nil {
		return nil, nil
	}
	r, err := m.ask()
	return r.Stalls, err
}

// Watch returns the stalls of each core during some time from now on.
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

func (m *Monitor) ask() (report, error) {
	if err := m.Process.Send(struct{}{}); err != nil {
		return report{}, fmt.Errorf("%s: %w", m.Process.Name, err)
	}
	select {
	case r, ok := <-m.reports:
		if !ok {
			return r, fmt.Errorf("%s ended", m.Process.Name)
		}
		return r, nil
	case <-time.After(child.AnswerWait):
		return report{}, fmt.Errorf("%s does not answer", m.Process.Name)
	}
}

// Condition says whether latencies include the time that a core takes to wake.
func (m *Monitor) Condition() string {
	if m == nil || m.kept == "" {
		return "the cores may sleep: latencies hold the time that a core takes to wake"
	}
	return m.kept + ": no latency holds the time that a core takes to wake"
}

package results

import (
	"cmp"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"time"

	"pushbench/results/metric"
)

// transportName is what a transport may be called: it becomes part of file
// names and a tag of the interval log.
var transportName = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]{0,63}$`)

func (m Manifest) check() error {
	if !slices.Contains([]Status{Complete, Partial, Invalid, Saturated}, m.Status) {
		return fmt.Errorf("unknown status %q", m.Status)
	}
	if !m.Ended.IsZero() && m.Ended.Before(m.Started) {
		return fmt.Errorf("it ended at %v, before it started at %v", m.Ended, m.Started)
	}
	err := cmp.Or(m.checkTransports(), m.checkConfigurations(), m.Published.Check(), m.Compare.check())
	for _, c := range slices.Concat(m.Requirements, m.Assertions) {
		err = cmp.Or(err, c.Check())
	}
	return cmp.Or(err, nonNegative(m))
}

func (m Manifest) checkTransports() error {
	for i, t := range m.Transports {
		if !transportName.MatchString(t) {
			return fmt.Errorf("%q cannot be the name of a transport: want %s", t, transportName)
		}
		if slices.Contains(m.Transports[:i], t) {
			return fmt.Errorf("transport %s is listed twice", t)
		}
	}
	return nil
}

// check refuses impossible figures. A trial that calls itself INVALID may have
// sums that do not add up: that can be the very gate it failed.
func (t Trial) check() error {
	if !slices.Contains([]Status{Complete, Partial, Invalid, Saturated}, t.Status) {
		return fmt.Errorf("unknown status %q", t.Status)
	}
	if err := nonNegative(t); err != nil {
		return err
	}
	for _, e := range t.Events {
		if e.At < 0 || e.Took < 0 || e.What == "" {
			return fmt.Errorf("an event %q at %v that took %v", e.What, e.At, e.Took)
		}
	}
	if t.Status == Invalid {
		return nil
	}
	if err := t.Age.check(); err != nil {
		return err
	}
	for _, i := range t.Identities() {
		if !i.Holds() {
			return errors.New(i.String())
		}
	}
	return nil
}

// An Identity is a sum that holds exactly, or the rig miscounted.
type Identity struct {
	Name  string // "owed = unique + superseded + declared gap + lost"
	Whole int64
	Parts []int64
}

// Sum of the parts.
func (i Identity) Sum() (sum int64) {
	for _, part := range i.Parts {
		sum += part
	}
	return sum
}

// Holds reports whether the parts add up to the whole.
func (i Identity) Holds() bool { return i.Sum() == i.Whole }

// String shows the sum, and by how much it fails.
func (i Identity) String() string {
	if i.Holds() {
		return fmt.Sprintf("%s: %s", i.Name, metric.Count(i.Whole))
	}
	return fmt.Sprintf("%s does not hold: %s is not %s", i.Name, metric.Count(i.Whole), metric.Count(i.Sum()))
}

// Identities are the sums of the ledgers, of the publishes, of the freshness and of the
// visitors, and that the latencies hold each message once.
func (t Trial) Identities() []Identity {
	l, p, f, a, v := t.Ledger, t.Publishes, t.Age, t.Replies, t.Visits
	return []Identity{
		{"owed = unique + superseded + declared gap + lost", l.Expected, []int64{l.Unique, l.Superseded, l.DeclaredGap, l.Lost}},
		{"received = unique + duplicates + unexpected", l.Received, []int64{l.Unique, l.Duplicates, l.Unexpected}},
		{"planned = on time + late + dropped", p.Planned, []int64{p.OnTime, p.Late, p.Dropped}},
		{"sent = acknowledged + failed + unknown", p.Sent, []int64{p.Acknowledged, p.Failed, p.Unknown}},
		{"latencies = unique", t.Latency.Histogram.Count(), []int64{l.Unique}},
		{"infinite latencies = declared gap + lost", t.Latency.Infinite, []int64{l.DeclaredGap, l.Lost}},
		{"subscribed time = covered + uncovered + never", int64(f.Subscribed), []int64{int64(f.Covered), int64(f.Uncovered), int64(f.Never)}},
		{"time at each age = covered time", f.Age.Count(), []int64{int64(f.Covered)}},
		{"answers owed = unique + lost", a.Ledger.Expected, []int64{a.Ledger.Unique, a.Ledger.Superseded, a.Ledger.DeclaredGap, a.Ledger.Lost}},
		{"answers received = unique + duplicates + unexpected", a.Ledger.Received, []int64{a.Ledger.Unique, a.Ledger.Duplicates, a.Ledger.Unexpected}},
		{"round trips = unique answers", a.Latency.Histogram.Count(), []int64{a.Ledger.Unique}},
		{"infinite round trips = declared gap + lost", a.Latency.Infinite, []int64{a.Ledger.DeclaredGap, a.Ledger.Lost}},
		{"visitors = heard something + heard nothing", v.Came, []int64{v.First.Histogram.Count(), v.First.Infinite}},
	}
}

func (i Interval) check() error {
	if n := i.Latency.Count(); n != i.Counted {
		return fmt.Errorf("%d latencies, %d counted", n, i.Counted)
	}
	if i.Length > longestInterval {
		return fmt.Errorf("length_ns is %v, at most %v allowed", i.Length, longestInterval)
	}
	return nonNegative(i)
}

// longestInterval is far beyond the second an interval should take, so that a
// frozen generator is still recorded.
const longestInterval = 24 * time.Hour

// check refuses trials and intervals that the manifest knows nothing of, and a
// trial that is there twice.
func (r *Run) check() error {
	seen := map[string]bool{}
	for i, t := range r.Trials {
		problem := r.Manifest.knows(t.Transport, t.ConfigurationName())
		if key := t.Name(); problem == "" && seen[key] {
			problem = key + " is there twice"
		}
		if problem != "" {
			return corrupt(trialsFile, i+1, problem, nil)
		}
		seen[t.Name()] = true
	}
	for i, iv := range r.Intervals {
		if unknown := r.Manifest.knows(iv.Transport, iv.ConfigurationName()); unknown != "" {
			return corrupt(intervalsFile, i+1, unknown, nil)
		}
	}
	return nil
}

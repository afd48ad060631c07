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

// transportName matches a valid name of a transport. It becomes a part of file names and of tags
// in the interval log.
var transportName = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]{0,63}$`)

func (m Manifest) check() error {
	if !slices.Contains([]Status{Complete, Partial, Invalid, Saturated}, m.Status) {
		return fmt.Errorf("unknown status %q", m.Status)
	}
	if !m.Ended.IsZero() && m.Ended.Before(m.Started) {
		return fmt.Errorf("it ended at %v, before it started at %v", m.Ended, m.Started)
	}
	if m.Cost != "" && m.Cost != ByCPU && m.Cost != ByPrice {
		return fmt.Errorf("unknown cost %q", m.Cost)
	}
	err := cmp.Or(m.checkLengths(), m.checkTransports(), m.checkConfigurations(), m.Published.Check(), m.Prices.Check(), m.Compare.check())
	for _, c := range slices.Concat(m.Requirements, m.Assertions) {
		err = cmp.Or(err, c.Check())
	}
	return cmp.Or(err, Possible(m), in("host.", Possible(m.Host)))
}

// in names the struct that an error of possible is about.
func in(path string, err error) error {
	if err != nil {
		return fmt.Errorf("%s%w", path, err)
	}
	return nil
}

// checkLengths bounds the lists whose items are compared with each other, so that a file of a few megabytes cannot keep
// a report busy for hours. Runs are far below the bounds.
func (m Manifest) checkLengths() error {
	for _, list := range []struct {
		name    string
		n, most int
	}{
		{"transports", len(m.Transports), 64},
		{"configurations", len(m.Configurations), 1024},
		{"requirements", len(m.Requirements), 256},
		{"assertions", len(m.Assertions), 256},
		{"compare.primary", len(m.Compare.Primary), 256},
	} {
		if list.n > list.most {
			return fmt.Errorf("%s has %d items; allowed: at most %d", list.name, list.n, list.most)
		}
	}
	return nil
}

func (m Manifest) checkTransports() error {
	for i, t := range m.Transports {
		if !transportName.MatchString(t) {
			return fmt.Errorf("invalid transport name %q: want %s", t, transportName)
		}
		if slices.Contains(m.Transports[:i], t) {
			return fmt.Errorf("transport %s is listed twice", t)
		}
	}
	return nil
}

// check returns an error for impossible values. An INVALID trial may have counts that do not add
// up: that may be the validity check that failed.
func (t Trial) check() error {
	if !slices.Contains([]Status{Complete, Partial, Invalid, Saturated}, t.Status) {
		return fmt.Errorf("unknown status %q", t.Status)
	}
	if err := Possible(t); err != nil {
		return err
	}
	for _, e := range t.Events {
		if e.What == "" {
			return fmt.Errorf("the event at %v has no text", e.At)
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

// An Identity is a sum of counts that must hold exactly.
type Identity struct {
	Name  string // "expected = delivered + superseded + declared gap + lost"
	Whole int64
	Parts []int64
}

// Sum returns the sum of the parts.
func (i Identity) Sum() (sum int64) {
	for _, part := range i.Parts {
		sum += part
	}
	return sum
}

// Holds reports whether the parts add up to the whole.
func (i Identity) Holds() bool { return i.Sum() == i.Whole }

// String describes the sum, and both values if it does not hold.
func (i Identity) String() string {
	if i.Holds() {
		return fmt.Sprintf("%s: %s", i.Name, metric.Count(i.Whole))
	}
	return fmt.Sprintf("%s does not hold: %s is not %s", i.Name, metric.Count(i.Whole), metric.Count(i.Sum()))
}

// Identities returns the sums of the ledgers, publishes, ages and short-lived clients, and those of the
// latencies, which count each message once.
func (t Trial) Identities() []Identity {
	l, p, a, r, v := t.Ledger, t.Publishes, t.Age, t.Replies, t.ShortLived
	return []Identity{
		{"expected = delivered + superseded + declared gap + lost", l.Expected, []int64{l.Delivered, l.Superseded, l.DeclaredGap, l.Lost}},
		{"received = delivered + duplicates + unexpected", l.Received, []int64{l.Delivered, l.Duplicates, l.Unexpected}},
		{"planned = on time + late + dropped", p.Planned, []int64{p.OnTime, p.Late, p.Dropped}},
		{"sent = acknowledged + failed + unknown", p.Sent, []int64{p.Acknowledged, p.Failed, p.Unknown}},
		{"latencies = delivered", t.Latency.Histogram.Count(), []int64{l.Delivered}},
		{"infinite latencies = declared gap + lost", t.Latency.Infinite, []int64{l.DeclaredGap, l.Lost}},
		{"subscribed time = covered + uncovered + never", int64(a.Subscribed), []int64{int64(a.Covered), int64(a.Uncovered), int64(a.Never)}},
		{"time at each age = covered time", a.Age.Count(), []int64{int64(a.Covered)}},
		{"replies expected = delivered + superseded + declared gap + lost", r.Ledger.Expected, []int64{r.Ledger.Delivered, r.Ledger.Superseded, r.Ledger.DeclaredGap, r.Ledger.Lost}},
		{"replies received = delivered + duplicates + unexpected", r.Ledger.Received, []int64{r.Ledger.Delivered, r.Ledger.Duplicates, r.Ledger.Unexpected}},
		{"round trips of replies = replies delivered", r.Latency.Histogram.Count(), []int64{r.Ledger.Delivered}},
		{"infinite round trips of replies = declared gap + lost", r.Latency.Infinite, []int64{r.Ledger.DeclaredGap, r.Ledger.Lost}},
		{"short-lived clients = with a message + without a message", v.Started, []int64{v.First.Histogram.Count(), v.First.Infinite}},
	}
}

// Check returns an error for impossible values.
func (i Interval) Check() error { return i.check() }

func (i Interval) check() error {
	if n := i.Latency.Count(); n != i.Counted {
		return fmt.Errorf("%d latencies, %d counted", n, i.Counted)
	}
	if i.Length > longestInterval {
		return fmt.Errorf("length_ns is %v; allowed: at most %v", i.Length, longestInterval)
	}
	return Possible(i)
}

// longestInterval is far above the intended length of one second, so that the intervals of a
// stalled generator are recorded.
const longestInterval = 24 * time.Hour

// check returns an error for a duplicate trial, and for a trial or interval that is not in the
// manifest.
func (r *Run) check() error {
	seen := map[string]bool{}
	for i, t := range r.Trials {
		problem := r.Manifest.unknown(t.Transport, t.ConfigurationName())
		if key := t.Name(); problem == "" && seen[key] {
			problem = key + " occurs twice"
		}
		if problem != "" {
			return corrupt(trialsFile, i+1, problem, nil)
		}
		seen[t.Name()] = true
	}
	for i, iv := range r.Intervals {
		if unknown := r.Manifest.unknown(iv.Transport, iv.ConfigurationName()); unknown != "" {
			return corrupt(intervalsFile, i+1, unknown, nil)
		}
	}
	return nil
}

package results

import (
	"cmp"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"time"
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
	if err := cmp.Or(m.checkTransports(), m.checkCases(), m.Published.check()); err != nil {
		return err
	}
	if err := m.Compare.check(); err != nil {
		return err
	}
	for _, c := range slices.Concat(m.Needs, m.Claims) {
		if err := c.check(); err != nil {
			return err
		}
	}
	w := m.Workload
	return nonNegative([]figure{
		{"blocks", float64(m.Blocks)},
		{"rtt_ns", float64(m.RTT)},
		{"jitter_ns", float64(m.Jitter)},
		{"line_bytes_per_second", float64(m.LineRate)},
		{"loss", m.Loss},
		{"reorder", m.Reorder},
		{"idle_timeout_ns", float64(m.IdleFor)},
		{"clients", float64(w.Clients)},
		{"topics", float64(w.Topics)},
		{"publish_rate", w.PublishRate},
		{"delivery_rate", w.DeliveryRate},
		{"reporters", float64(w.Reporters)},
		{"input_rate", w.InputRate},
		{"input_bytes", w.InputBytes},
		{"per_client_rate", w.PerClientRate},
		{"payload_bytes", w.PayloadBytes},
		{"poll_interval_ns", float64(w.PollInterval)},
		{"hold_ns", float64(w.Hold)},
		{"warmup_ns", float64(w.Warmup)},
		{"window_ns", float64(w.Window)},
		{"drain_ns", float64(w.Drain)},
	})
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
	if err := nonNegative(t.figures()); err != nil {
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
	if err := t.Freshness.check(); err != nil {
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
		return fmt.Sprintf("%s: %s", i.Name, Count(i.Whole))
	}
	return fmt.Sprintf("%s does not hold: %s is not %s", i.Name, Count(i.Whole), Count(i.Sum()))
}

// Identities are the sums of the ledger, of the publishes and of the freshness, and
// that the latencies hold each message once.
func (t Trial) Identities() []Identity {
	l, p := t.Ledger, t.Publishes
	return append([]Identity{
		{"owed = unique + superseded + declared gap + lost", l.Owed, []int64{l.Unique, l.Superseded, l.DeclaredGap, l.Lost}},
		{"received = unique + duplicates + unexpected", l.Received, []int64{l.Unique, l.Duplicates, l.Unexpected}},
		{"planned = on time + late + dropped", p.Planned, []int64{p.OnTime, p.Late, p.Dropped}},
		{"sent = acknowledged + failed + unknown", p.Sent, []int64{p.Acknowledged, p.Failed, p.Unknown}},
		{"latencies = unique", t.Latency.Histogram.Count(), []int64{l.Unique}},
		{"infinite latencies = declared gap + lost", t.Latency.Infinite, []int64{l.DeclaredGap, l.Lost}},
	}, slices.Concat(t.Freshness.identities(), t.Answers.identities(), t.Visits.identities())...)
}

// A figure is a named number of a file, for the message when it is impossible.
type figure struct {
	name string
	x    float64
}

func nonNegative(figures []figure) error {
	for _, f := range figures {
		if f.x < 0 {
			return fmt.Errorf("%s is negative: %v", f.name, f.x)
		}
	}
	return nil
}

func (t Trial) figures() []figure {
	return slices.Concat(
		[]figure{{"block", float64(t.Block)}, {"position", float64(t.Position)}, {"flush_ns", float64(t.Flush)}, {"again", float64(t.Again)}, {"took_ns", float64(t.Took)}},
		t.Publishes.figures(), t.Ledger.figures(), t.Connect.figures(), t.Cost.figures(), t.Freshness.figures(), t.Link.figures(), t.Answers.figures(), t.Webhooks.figures(), t.Visits.figures(),
		[]figure{
			{"latency.infinite", float64(t.Latency.Infinite)},
			{"latency.independent", float64(t.Latency.Independent)},
			{"ack.infinite", float64(t.Ack.Infinite)},
			{"ack.independent", float64(t.Ack.Independent)},
		})
}

func (p Publishes) figures() []figure {
	return []figure{
		{"planned", float64(p.Planned)},
		{"on_time", float64(p.OnTime)},
		{"late", float64(p.Late)},
		{"dropped", float64(p.Dropped)},
		{"sent", float64(p.Sent)},
		{"acknowledged", float64(p.Acknowledged)},
		{"failed", float64(p.Failed)},
		{"unknown", float64(p.Unknown)},
		{"late_after_ns", float64(p.LateAfter)},
	}
}

func (l Ledger) figures() []figure {
	return []figure{
		{"owed", float64(l.Owed)},
		{"unique", float64(l.Unique)},
		{"superseded", float64(l.Superseded)},
		{"declared_gap", float64(l.DeclaredGap)},
		{"lost", float64(l.Lost)},
		{"received", float64(l.Received)},
		{"duplicates", float64(l.Duplicates)},
		{"unexpected", float64(l.Unexpected)},
		{"reordered", float64(l.Reordered)},
		{"corrupt", float64(l.Corrupt)},
	}
}

func (l *Link) figures() []figure {
	if l == nil {
		return nil
	}
	return slices.Concat(l.Up.figures("link.up."), l.Down.figures("link.down."))
}

func (w LinkWay) figures(way string) []figure {
	return []figure{
		{way + "packets", float64(w.Packets)},
		{way + "bytes", float64(w.Bytes)},
		{way + "lost", float64(w.Lost)},
		{way + "overtook", float64(w.Overtook)},
		{way + "overflowed", float64(w.Overflowed)},
		{way + "refused", float64(w.Refused)},
	}
}

func (c Connect) figures() []figure {
	return []figure{
		{"connect.clients", float64(c.Clients)},
		{"connect.failed", float64(c.Failed)},
		{"connect.reporters", float64(c.Reporters)},
		{"connect.took_ns", float64(c.Took)},
		{"connect.bytes_up", float64(c.BytesUp)},
		{"connect.bytes_down", float64(c.BytesDown)},
		{"connect.round_trips", c.RoundTrips},
		{"connect.dials", float64(c.Dials)},
		{"connect.server.cpu_ns", float64(c.Server.CPU)},
		{"connect.server.user_ns", float64(c.Server.User)},
		{"connect.server.system_ns", float64(c.Server.System)},
		{"connect.generator.cpu_ns", float64(c.Generator.CPU)},
		{"connect.generator.user_ns", float64(c.Generator.User)},
		{"connect.generator.system_ns", float64(c.Generator.System)},
	}
}

func (c Cost) figures() []figure {
	w := c.Wire
	return slices.Concat(
		[]figure{{"cost.span_ns", float64(c.Span)}, {"cost.delivered", float64(c.Delivered)}},
		c.Server.figures("server."), c.Generator.figures("generator."), c.Link.figures("link."), w.Up.figures("up."), w.Down.figures("down."),
		[]figure{
			{"requests", float64(w.Requests)},
			{"polls", float64(w.Polls)},
			{"empty_answers", float64(w.EmptyAnswers)},
			{"batches", float64(w.Batches)},
			{"dials", float64(w.Dials)},
			{"reconnects", float64(w.Reconnects)},
		})
}

func (p Process) figures(role string) []figure {
	return []figure{
		{role + "processes", float64(p.Processes)},
		{role + "cpu_ns", float64(p.CPU)},
		{role + "user_ns", float64(p.User)},
		{role + "system_ns", float64(p.System)},
		{role + "memory_base_bytes", float64(p.MemoryBase)},
		{role + "memory_idle_bytes", float64(p.MemoryIdle)},
		{role + "memory_peak_bytes", float64(p.MemoryPeak)},
		{role + "goroutines", float64(p.Goroutines)},
		{role + "context_switches", float64(p.ContextSwitches)},
	}
}

func (d Direction) figures(way string) []figure {
	return []figure{
		{way + "bytes", float64(d.Bytes)},
		{way + "payload", float64(d.Payload)},
		{way + "envelope", float64(d.Envelope)},
		{way + "framing", float64(d.Framing)},
		{way + "headers", float64(d.Headers)},
		{way + "segments", float64(d.Segments)},
	}
}

func (i Interval) check() error {
	if n := i.Latency.Count(); n != i.Counted {
		return fmt.Errorf("%d latencies, %d counted", n, i.Counted)
	}
	return cmp.Or(
		nonNegative([]figure{
			{"block", float64(i.Block)},
			{"again", float64(i.Again)},
			{"at_ns", float64(i.At)},
			{"length_ns", float64(i.Length)},
			{"published", float64(i.Published)},
			{"delivered", float64(i.Delivered)},
			{"counted", float64(i.Counted)},
		}),
		atMost("length_ns", i.Length, longestInterval))
}

// longestInterval is far beyond the second an interval should take, so that a
// frozen generator is still recorded.
const longestInterval = 24 * time.Hour

func atMost(name string, d, limit time.Duration) error {
	if d > limit {
		return fmt.Errorf("%s is %v, at most %v allowed", name, d, limit)
	}
	return nil
}

// check refuses trials and intervals that the manifest knows nothing of, and a
// trial that is there twice.
func (r *Run) check() error {
	seen := map[string]bool{}
	for i, t := range r.Trials {
		key := t.Name()
		if unknown := r.Manifest.knows(t.Transport, t.CaseName()); unknown != "" {
			return &CorruptError{File: trialsFile, Line: i + 1, Problem: unknown}
		}
		if seen[key] {
			return &CorruptError{File: trialsFile, Line: i + 1, Problem: key + " is there twice"}
		}
		seen[key] = true
	}
	for i, iv := range r.Intervals {
		if unknown := r.Manifest.knows(iv.Transport, iv.CaseName()); unknown != "" {
			return &CorruptError{File: intervalsFile, Line: i + 1, Problem: unknown}
		}
	}
	return nil
}

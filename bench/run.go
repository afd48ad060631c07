package bench

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash/fnv"
	"slices"
	"strings"
	"time"

	"pushbench/bench/host"
	"pushbench/bench/schedule"
	"pushbench/bench/trial"
	"pushbench/bench/validity"
	"pushbench/results"
	"pushbench/results/metric"
	"pushbench/scenarios"
	"pushbench/scenarios/transports"
)

// A Run is a scenario and its blocks on a rig.
type Run struct {
	Scenario *scenarios.Scenario
	Rig      *trial.Rig
	Command  []string        // as the person gave it
	Tool     results.Tool    // which pushbench this is
	Served   results.Tool    // whose servers are measured, where it is another
	Stop     <-chan struct{} // closed: drain the trial under way and end
	Progress func(Progress)  // told at least once a second; must return at once
	Trouble  func(string)    // told of each trial that is void, and why, as it ends; must return at once

	// Enough is asked after each block but the last, and told where the run is being written.
	// What it says ends the run, which is then PARTIAL for that reason; default: nobody is asked.
	Enough func(folder string) (why string, err error)

	Interval func(results.Interval) // told of each second of each trial; must return at once
}

// Progress is what a person who waits wants to know.
type Progress struct {
	Case      string
	Block     int // from 1
	Blocks    int
	Trial     int // from 1, of all blocks
	Trials    int
	Phase     string
	Delivered int64         // in this trial so far
	P50, P99  time.Duration // of what was due in its window and came so far; 0: nothing yet
	Elapsed   time.Duration // of the whole run
	Left      time.Duration // estimated
}

// Do measures and writes the folder at path. derive writes what people look at
// into the folder. The run it returns is what was written.
func (r *Run) Do(ctx context.Context, path string, derive func(*results.Run, string) error) (string, error) {
	where, err := Interleave(ctx, []Side{{r, path}}, derive)
	return where[0], err
}

// errStopped says that a person ended the run.
var errStopped = errors.New("interrupted")

// enoughError says that a run ends early because nothing more is to be learnt from it.
type enoughError struct{ why string }

func (e *enoughError) Error() string { return e.why }

// A campaign is a run under way.
type campaign struct {
	run      *Run
	cases    []scenarios.Case // of the scenario: what each block measures
	folder   *results.Folder
	manifest *results.Manifest
	began    time.Time
	sides    int // runs that are measured in turns, this one included

	attempt  func(ctx context.Context, block, position, again int, measured scenarios.Case) (results.Trial, error)
	done     int // trials that ended and are not measured again
	again    int // trials that were disturbed and measured again
	took     time.Duration
	pairs    pairing
	faulty   []string // trials that are void, and why
	overload []string
}

// disturbedShare is the largest share of the planned trials that may be measured
// again. A machine that disturbs more is no machine to measure on.
const disturbedShare = 0.2

// cell measures one case of a block. A trial that the machine disturbed, which
// a gate of the rig says and no figure of the system under test, is void; it stays
// in the folder, is named in every output, and is measured again in its place.
func (c *campaign) cell(ctx context.Context, block, position int, measured scenarios.Case) error {
	allowed := max(1, int(disturbedShare*float64(c.trials())))
	for again := 0; ; again++ {
		result, err := c.attempt(ctx, block, position, again, measured)
		if err != nil {
			return err
		}
		if !validity.Disturbed(result) || c.again >= allowed {
			c.trouble(result, "")
			c.note(result)
			return nil
		}
		c.trouble(result, ", is measured again")
		c.again++
	}
}

// trouble tells of a trial that is void.
func (c *campaign) trouble(t results.Trial, then string) {
	if t.Status == results.Invalid && c.run.Trouble != nil {
		c.run.Trouble(fmt.Sprintf("%s is void%s: %s", t.Name(), then, t.Reason))
	}
}

// trials is how many are planned.
func (c *campaign) trials() int { return len(c.cases) * c.run.Scenario.Blocks }

func (c *campaign) trial(ctx context.Context, block, position, again int, measured scenarios.Case) (results.Trial, error) {
	if c.stopped() {
		return results.Trial{}, errStopped
	}
	phase, delivered, took := "starting", int64(0), results.Histogram{}
	tell := func() { c.tell(block, measured, phase, delivered, took) }
	t := &trial.Trial{
		Rig:      c.run.Rig,
		Scenario: c.run.Scenario.For(measured),
		Measured: measured,
		Block:    block,
		Again:    again,
		Run:      c.manifest.RunID,
		First:    c.pairs.first,
		Before:   c.pairs.before[measured.Name()],
		Stop:     c.run.Stop,
		Interval: func(i results.Interval) error {
			delivered += i.Delivered
			took.Merge(i.Latency)
			tell()
			if c.run.Interval != nil {
				c.run.Interval(i)
			}
			return c.folder.AppendInterval(i)
		},
		Phase: func(now string) { phase = now; tell() },
	}
	result, err := t.Measure(ctx)
	if ctx.Err() != nil {
		return result, errStopped
	}
	result.Position = position
	if err == nil {
		c.pairs.note(measured.Name(), result.Settings)
	}
	c.manifest.Servers[measured.Name()] = t.ServerSettings
	c.took += result.Took
	if written := c.folder.AppendTrial(result); written != nil {
		return result, written
	}
	switch {
	case c.stopped():
		c.done++
		return result, errStopped
	case err != nil && !t.Connected:
		return result, err // what kept this trial from beginning will keep the others
	default:
		return result, nil // a trial that broke off is void; the others may be sound
	}
}

func (c *campaign) stopped() bool {
	select {
	case <-c.run.Stop:
		return true
	default:
		return false
	}
}

// enough asks whether the run may end after a block.
func (c *campaign) enough(block int) error {
	if c.run.Enough == nil || block == c.run.Scenario.Blocks {
		return nil
	}
	why, err := c.run.Enough(c.folder.Path())
	if err == nil && why != "" {
		err = &enoughError{why}
	}
	return err
}

func (c *campaign) note(t results.Trial) {
	c.done++
	switch t.Status {
	case results.Invalid:
		c.faulty = append(c.faulty, t.Name()+": "+t.Reason)
	case results.Saturated:
		c.overload = append(c.overload, t.Name()+": "+t.Reason)
	}
}

// verdict says what the run is worth.
func (c *campaign) verdict(err error) (results.Status, string) {
	var enough *enoughError
	switch {
	case errors.As(err, &enough), errors.Is(err, errStopped):
		return results.Partial, fmt.Sprintf("%v after %d of %d trials", err, c.done, c.trials())
	case err != nil:
		return results.Invalid, err.Error()
	case len(c.faulty) > 0:
		return results.Invalid, strings.Join(c.faulty, "; ")
	case len(c.overload) > 0:
		return results.Saturated, strings.Join(c.overload, "; ")
	default:
		return results.Complete, ""
	}
}

func (c *campaign) tell(block int, measured scenarios.Case, phase string, delivered int64, took results.Histogram) {
	if c.run.Progress == nil {
		return
	}
	trials := c.trials()
	var p50, p99 time.Duration
	if took.Count() > 0 {
		p50, p99 = took.Quantile(0.5), took.Quantile(0.99)
	}
	c.run.Progress(Progress{
		P50:       p50,
		P99:       p99,
		Case:      measured.Name(),
		Block:     block,
		Blocks:    c.run.Scenario.Blocks,
		Trial:     c.done + 1,
		Trials:    trials,
		Phase:     phase,
		Delivered: delivered,
		Elapsed:   time.Since(c.began),
		Left:      c.left(trials),
	})
}

// left estimates from the trials that ended, before the first from the scenario.
func (c *campaign) left(trials int) time.Duration {
	each := Estimate(c.run.Scenario)
	if c.done > 0 {
		each = c.took / time.Duration(c.done+c.again)
	}
	return max(0, time.Duration(max(1, c.sides)*(trials+c.again))*each-time.Since(c.began))
}

// Estimate is about how long one trial takes.
func Estimate(s *scenarios.Scenario) time.Duration {
	opening := time.Duration(float64(s.Sessions()) / float64(s.Clients.ConnectRate) * float64(time.Second))
	const overhead = time.Second // starting, stopping, the tail of the drain
	return opening + time.Duration(s.Idle) + time.Duration(s.Warmup) + time.Duration(s.Window) + overhead
}

// manifest is what is known before the first trial.
func (r *Run) manifest(began time.Time, cases []scenarios.Case) results.Manifest {
	s := r.Scenario
	m := results.Manifest{
		Schema:     results.Schema,
		Status:     results.Partial,
		Started:    began.UTC(),
		Command:    r.Command,
		RunID:      runID(s, began),
		Tool:       r.Tool,
		Served:     r.Served,
		Host:       host.Facts(),
		Pinning:    r.Rig.Pinning,
		Workload:   workload(s, cases),
		Blocks:     s.Blocks,
		Seed:       s.Seed,
		Compare:    declared(s.Compare),
		Needs:      s.Needs,
		Claims:     s.Claims,
		Published:  published(s.Published),
		Engine:     r.Rig.Engine,
		Stack:      stacksOf(cases),
		Servers:    map[string]string{},
		Conditions: waysUp(s),
	}
	if m.Stack == string(scenarios.Reference) {
		m.Conditions = slices.Insert(m.Conditions, 0,
			"polling and SSE are served by fasthttp, WebSocket by gorilla/websocket on net/http: a CPU or memory ratio compares libraries as well as transports")
	}
	m.NotShown = host.NotShown(m.Host)
	describeLink(&m, s)
	if s.Servers > 1 {
		m.Conditions = append(m.Conditions, fmt.Sprintf("%d servers share the clients, each with a generator of its own; every message is posted to each of them: costs are of all together", s.Servers))
	}
	for _, t := range s.Transports {
		m.Transports = append(m.Transports, string(t))
	}
	for _, c := range cases {
		m.Cases = append(m.Cases, caseOf(s, c))
	}
	for block, order := range Orders(cases, s.Blocks, s.Seed) {
		m.Schedules = append(m.Schedules, scheduleHash(s, cases, block+1))
		var names []string
		for _, c := range order {
			names = append(names, c.Name())
		}
		m.Orders = append(m.Orders, names)
	}
	return m
}

// caseOf is a case as results know it.
func caseOf(s *scenarios.Scenario, c scenarios.Case) results.Case {
	is := results.Case{
		Name: c.Name(), Transport: string(c.Transport), Stack: string(c.Stack),
		Flush: time.Duration(c.Flush), RTT: time.Duration(c.RTT), Interval: time.Duration(c.Interval), Heartbeat: time.Duration(c.Heartbeat),
		TLS: c.TLS, NewConnection: c.NewConnection, Forward: c.Forward,
		Clients: c.Clients, PublishRate: float64(c.Rate), PayloadBytes: float64(c.Payload),
	}
	if s.SweepsLoad() {
		is.DeliveryRate = s.For(c).DeliveryRate()
	}
	return is
}

// scheduleHash is of what is due in a block, in all workloads that it has.
func scheduleHash(s *scenarios.Scenario, cases []scenarios.Case, block int) string {
	if !s.SweepsLoad() {
		return schedule.New(s, block).Hash()
	}
	sum := sha256.New()
	seen := map[scenarios.Case]bool{}
	for _, c := range cases {
		load := scenarios.Case{Clients: c.Clients, Rate: c.Rate, Payload: c.Payload}
		if !seen[load] {
			seen[load] = true
			fmt.Fprintln(sum, schedule.New(s.For(c), block).Hash())
		}
	}
	return hex.EncodeToString(sum.Sum(nil)[:8])
}

// declared is what the run will be judged by.
func declared(c scenarios.Compare) results.Declared {
	return results.Declared{Primary: c.Primary, Margin: float64(c.Margin) / 100}
}

// waysUp says how anything but deliveries travels.
func waysUp(s *scenarios.Scenario) (said []string) {
	const own = "a frame of its WebSocket, or a POST on a second keep-alive connection"
	switch s.Publish.By {
	case scenarios.ByClients:
		said = append(said, "every client publishes over its own way up: "+own)
	case scenarios.ByReporters:
		said = append(said, fmt.Sprintf("%d clients more publish, one for each topic, and subscribe to nothing: a frame of its WebSocket, or a POST on its only connection", s.Reporters()))
	default:
		said = append(said, "messages are posted by a backend beside the server, whatever the transport")
	}
	if h := s.Headers; h != (scenarios.Headers{}) {
		said = append(said, fmt.Sprintf("heads are filled up by a header that says nothing, where they are shorter: of clients' requests to %s, of answers to polls and publications to %s (0B: as they are)", h.Request, h.Answer))
	}
	if s.Answers.Size > 0 {
		said = append(said, fmt.Sprintf("each client answers each message with %s over its own way up, and the server posts that to the backend: costs a message are of both, without the backend's own connections", s.Answers.Size))
	}
	if s.Visitors.Rate > 0 {
		said = append(said, fmt.Sprintf("beside the clients, visitors come %s, subscribe, hear a first message and leave: they are in all costs, and in no count of messages", s.Visitors.Rate))
	}
	if s.Inputs.Rate > 0 {
		said = append(said, fmt.Sprintf("beside what is delivered every client sends inputs, %s of %s in all, over its own way up: %s. Costs a message are of all that, divided by the deliveries; acknowledgements are timed of inputs alone", s.Inputs.Rate, s.Inputs.Size, own))
	}
	return said
}

// published is what a scenario says of others, with its defaults.
func published(p metric.Published) metric.Published {
	p.Figures = slices.Clone(p.Figures)
	for i := range p.Figures {
		p.Figures[i].Times = cmp.Or(p.Figures[i].Times, 1)
	}
	return p
}

// stacksOf names the stacks that are measured.
func stacksOf(cases []scenarios.Case) string {
	var names []string
	for _, c := range cases {
		if !slices.Contains(names, string(c.Stack)) {
			names = append(names, string(c.Stack))
		}
	}
	return strings.Join(names, ", ")
}

// runID tells this run's payloads from those of any other, an earlier one on the
// same server included.
func runID(s *scenarios.Scenario, began time.Time) uint32 {
	h := fnv.New32a()
	fmt.Fprint(h, s.Hash(), began.UnixNano())
	return h.Sum32()
}

// workload is the scenario in figures.
func workload(s *scenarios.Scenario, cases []scenarios.Case) results.Workload {
	w := results.Workload{
		Scenario:      s.Name,
		Description:   s.Description,
		Question:      s.Question,
		SHA256:        s.Hash(),
		Clients:       s.Clients.Count,
		Topics:        s.Topics.Count,
		Publisher:     string(s.Publish.By),
		Arrivals:      string(s.Publish.Arrivals),
		PublishRate:   float64(s.Publish.Rate),
		Reporters:     s.Reporters(),
		InputRate:     float64(s.Inputs.Rate),
		InputBytes:    float64(s.Inputs.Size),
		DeliveryRate:  s.DeliveryRate(),
		PerClientRate: s.PerClientRate(),
		PayloadBytes:  s.MeanPayload(),
		Delivery:      string(s.Delivery),
		PollInterval:  time.Duration(s.ShortPoll.Interval),
		PollPacing:    string(s.ShortPoll.Pacing),
		Hold:          time.Duration(s.LongPoll.Hold),
		Flush:         map[string]time.Duration{},
		Warmup:        time.Duration(s.Warmup),
		Window:        time.Duration(s.Window),
		Drain:         time.Duration(s.Drain),
	}
	for _, c := range cases {
		if !transports.Of(c.Transport).Timed {
			w.Flush[c.Name()] = time.Duration(c.Flush)
		}
	}
	return w
}

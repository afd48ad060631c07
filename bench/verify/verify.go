// Package verify tries a target file against its server: a few messages between two clients, over each
// transport.
//
// It owns what is tried and how a failure is described. It must not measure: a relay between client and
// server records every byte, and adds to every time.
package verify

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"pushbench/bench/child"
	"pushbench/bench/client"
	"pushbench/bench/client/engines"
	"pushbench/bench/cost"
	"pushbench/bench/payload"
	"pushbench/bench/relay"
	"pushbench/bench/target"
	"pushbench/bench/trace"
	"pushbench/scenarios"
)

// A Verification is how a target is tried.
type Verification struct {
	Target *scenarios.Target
	Serve  []string      // argument vector of a process that supervises the server: see package supervise
	Silent time.Duration // how long a connection is left without messages, to see whether it stays open
}

// An Outcome is the result of a check.
type Outcome string

// A check passes, fails, or was not made.
const (
	Passed     Outcome = "passed"
	Failed     Outcome = "failed"
	NotChecked Outcome = "not checked"
)

// A Finding is the outcome of one check, with what was seen.
type Finding struct {
	Check   string  `json:"check"`
	Outcome Outcome `json:"outcome"`
	Detail  string  `json:"detail"`
	Counted bool    `json:"counted,omitempty"` // of a failed check: no stated promise is broken, and a run counts what the server did
}

// A Result has the findings over one transport, in the order in which they were made.
type Result struct {
	Transport scenarios.Transport `json:"transport"`
	Findings  []Finding           `json:"findings"`
	Ladder    trace.Trace         `json:"-"` // the traffic of the first client
}

// Passed reports whether no check failed.
func (r Result) Passed() bool { return r.FirstFailure() == nil }

// FirstFailure returns the first check that failed; nil if none did.
func (r Result) FirstFailure() *Finding {
	return r.first(func(f Finding) bool { return f.Outcome == Failed })
}

// Refusal returns the first failed check without which a run has no meaning: the server cannot be used as the file
// describes, or breaks a stated promise; nil if there is none.
func (r Result) Refusal() *Finding {
	return r.first(func(f Finding) bool { return f.Outcome == Failed && !f.Counted })
}

func (r Result) first(has func(Finding) bool) *Finding {
	if i := slices.IndexFunc(r.Findings, has); i >= 0 {
		return &r.Findings[i]
	}
	return nil
}

// Names of the topics, and the size of each payload in bytes.
const (
	watched, other = "pushbench-a", "pushbench-b"
	size           = 64
	run            = 0x7e57ab1e // marks the payloads
	rounds         = 3          // messages of each publisher
)

// Waits for the server.
const (
	subscribeWait = 5 * time.Second
	deliverWait   = 5 * time.Second
	// quiet is how long to wait for what should not arrive, and until a long poll is held.
	quiet = 300 * time.Millisecond
)

// Do tries the target over one transport, with a fresh server. An error means that the server cannot be reached, or
// that the file does not fit the transport.
func (v Verification) Do(ctx context.Context, transport scenarios.Transport) (r Result, err error) {
	r.Transport = transport
	dialect, err := target.Compile(v.Target, transport, os.LookupEnv)
	if err != nil {
		return r, err
	}
	server, greeting, err := child.StartServer(ctx, v.Serve, child.Options{Preparation: time.Duration(v.Target.Start.Within)})
	if err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, server.End(child.ExitTimeout)) }()
	between, err := relay.Start(greeting.Listening)
	if err != nil {
		return r, err
	}
	defer between.Close()
	t := &trial{Verification: v, dialect: dialect, transport: transport, server: server, between: between, o: newObserver()}
	config := t.config(greeting)
	if err := client.CreateTopics(ctx, &config, []string{watched, other}); err != nil {
		return r, err
	}
	if err := t.open(config); err != nil {
		return r, err
	}
	defer t.close()
	t.try(ctx)
	r.Findings = t.findings
	r.Ladder = trace.Read(string(v.Target.Name)+" over "+string(transport), t.conversations(), t.o.noted())
	return r, nil
}

// A trial is the verification of one transport.
type trial struct {
	Verification
	dialect   *target.Dialect
	transport scenarios.Transport
	server    *child.Process
	between   *relay.Relay
	o         *observer

	engines              []client.Engine
	first, second, posts client.Session // posts is nil without publish.post
	next                 uint32         // index of the next payload
	findings             []Finding
}

// pollEvery is the interval of short polling.
const pollEvery = 50 * time.Millisecond

// config is that of clients next to the server.
func (t *trial) config(server child.Greeting) client.Config {
	return client.Config{
		Target: server.Listening, Authority: cmp.Or(server.Authority, server.Listening), Workers: 1, Transport: t.transport, Traffic: new(client.Traffic),
		Interval: pollEvery, Pacing: scenarios.FixedRate, Dialect: t.dialect, Payloads: scanner(),
	}
}

// open prepares the clients: the first one behind the relay, the others next to the server.
func (t *trial) open(direct client.Config) error {
	relayed := direct
	relayed.Target, relayed.Traffic = t.between.Addr, new(client.Traffic)
	for _, config := range []client.Config{relayed, direct} {
		e, err := engines.New(engines.Goroutine, config)
		if err != nil {
			return err
		}
		t.engines = append(t.engines, e)
	}
	return nil
}

func (t *trial) close() {
	for _, s := range []client.Session{t.first, t.second, t.posts} {
		if s != nil {
			s.Close()
		}
	}
	for _, e := range t.engines {
		e.Close()
	}
}

// Clients of a trial.
const (
	firstClient = iota
	secondClient
	backend
)

func (t *trial) found(check string, outcome Outcome, format string, values ...any) {
	t.findings = append(t.findings, Finding{Check: check, Outcome: outcome, Detail: fmt.Sprintf(format, values...)})
}

// counted notes a failed check of what the server does to messages.
func (t *trial) counted(check, format string, values ...any) {
	t.findings = append(t.findings, Finding{check, Failed, fmt.Sprintf(format, values...), true})
}

// try makes the checks in order. It ends at the first that the others need.
func (t *trial) try(ctx context.Context) {
	t.first = t.engines[0].Open(client.Subscription{Client: firstClient, Topics: []string{watched}, Delivery: string(scenarios.Every)}, t.o)
	t.second = t.engines[1].Open(client.Subscription{Client: secondClient, Topics: []string{other}, Delivery: string(scenarios.Every), Publishes: true}, t.o)
	if !t.subscribes(ctx) {
		return
	}
	if t.dialect.Posts() {
		t.posts = t.engines[1].Open(client.Subscription{Client: backend}, t.o)
		t.begins(ctx, t.posts)
		t.publishes(ctx, "post", backend, t.posts)
	} else {
		t.begins(ctx, t.second)
	}
	if t.dialect.PublishesInFrames() {
		t.publishes(ctx, "frame", secondClient, t.second)
	}
	t.isolates()
	t.staysOpen(ctx)
	t.resumes(ctx)
	t.billed()
}

// attempts is how many connections may fail before a check gives up.
const attempts = 4

// subscribes waits until both clients are subscribed.
func (t *trial) subscribes(ctx context.Context) bool {
	ready := func(s *seen) bool { return s.subscribed[firstClient] > 0 && s.subscribed[secondClient] > 0 }
	over := func(s *seen) bool { return ready(s) || s.lost[firstClient] >= attempts }
	if t.o.until(ctx, subscribeWait, over) && ready(t.o.snapshot()) {
		t.found("subscribes", Passed, "two clients, each to a topic of its own")
		if t.transport == "longpoll" {
			t.o.until(ctx, quiet, func(*seen) bool { return false }) // until the first polls are held
		}
		return true
	}
	t.found("subscribes", Failed, "%s", t.whyNot())
	return false
}

// whyNot describes why the first client is not subscribed.
func (t *trial) whyNot() string {
	s := t.o.snapshot()
	why := fmt.Sprintf("not subscribed within %v", subscribeWait)
	if cause := s.causes[firstClient]; cause != "" {
		why = fmt.Sprintf("not subscribed after %d attempts: %s", s.lost[firstClient], cause)
	}
	if step := t.Target.DescribeStep(t.transport, int(s.step[firstClient])); step != "" {
		why += "; " + step
	}
	return why + t.received()
}

// most is how much of what a server sent is shown, in bytes.
const most = 200

// received quotes the beginning of the last response to the first client.
func (t *trial) received() string {
	all := t.conversations()
	if len(all) == 0 || len(all[len(all)-1].Down) == 0 {
		return "; the server sent nothing"
	}
	down := all[len(all)-1].Down
	down = down[max(0, bytes.LastIndex(down, []byte("HTTP/1.1 "))):]
	return fmt.Sprintf("; the server sent %q", down[:min(len(down), most)])
}

// conversations returns the traffic of the first client without logins.
func (t *trial) conversations() []relay.Conversation {
	all := t.between.Conversations()
	for i := range all {
		all[i].Up, all[i].Down = t.dialect.Mask(all[i].Up), t.dialect.Mask(all[i].Down)
	}
	return all
}

// publish publishes one message and returns its index.
func (t *trial) publish(s client.Session, topic string) uint32 {
	index := t.next
	t.next++
	s.Publish(index, topic, payload.Append(nil, run, index, size))
	return index
}

// begins publishes the first message of the topic. A server may lose it: a client that polls may have no position
// before it.
func (t *trial) begins(ctx context.Context, s client.Session) {
	first := t.publish(s, watched)
	if t.o.until(ctx, deliverWait, func(s *seen) bool { return s.has(firstClient, first) }) {
		t.found("first message", Passed, "the first message of a topic arrives")
		return
	}
	t.found("first message", NotChecked, "the first message of a topic does not arrive; a run publishes it in the warm-up")
}

// publishes checks that messages reach the subscriber in order and unchanged, and that the server acknowledges
// them.
func (t *trial) publishes(ctx context.Context, how string, who int, s client.Session) {
	from := t.next
	for range rounds {
		t.publish(s, watched)
	}
	want := indexes(from, t.next)
	check := "delivers by " + how
	t.o.until(ctx, deliverWait, func(s *seen) bool { return len(s.since(firstClient, from)) >= rounds })
	t.o.until(ctx, quiet, func(*seen) bool { return false }) // duplicates may follow
	now := t.o.snapshot()
	switch got := now.since(firstClient, from); {
	case now.damage != "":
		t.counted(check, "the server changes the payload: %s", now.damage)
	case len(got) == 0:
		t.found(check, Failed, "0 of %d messages within %v%s%s", rounds, deliverWait, outcome(now, who), t.received())
	case len(distinct(got)) < rounds:
		t.counted(check, "%d of %d messages within %v%s%s", len(distinct(got)), rounds, deliverWait, outcome(now, who), t.received())
	default:
		t.orders(check, want, got)
	}
	if how == "frame" && !t.dialect.Acknowledges() {
		t.found("acknowledges by "+how, NotChecked, "publish.ack is not given")
		return
	}
	before := 0
	if how == "post" || !t.dialect.Posts() {
		before = 1 // the first message of the topic
	}
	acked := t.o.until(ctx, deliverWait, func(s *seen) bool { return s.acked[who] >= before+rounds })
	now = t.o.snapshot()
	if acked {
		t.found("acknowledges by "+how, Passed, "%d of %d publications", now.acked[who]-before, rounds)
		return
	}
	t.counted("acknowledges by "+how, "%d of %d publications within %v%s", max(0, now.acked[who]-before), rounds, deliverWait, outcome(now, who))
}

// orders compares the order of messages that have all arrived, and their duplicates, with the promises.
func (t *trial) orders(check string, want, got []uint32) {
	promises, once := t.Target.Promises, distinct(got)
	swapped, duplicates := !slices.Equal(once, want), len(got)-len(once)
	arrived := fmt.Sprintf("messages %v arrived as %v", want, got)
	switch {
	case swapped && promises.Order == scenarios.PerTopic:
		t.found(check, Failed, "%s, and promises.order is per_topic; leave it out, or use none", arrived)
	case duplicates > 0 && promises.Delivery == scenarios.AtMostOnce:
		t.found(check, Failed, "%s, and promises.delivery is at_most_once; leave it out, or use at_least_once", arrived)
	case swapped && promises.Order != scenarios.Unordered, duplicates > 0 && promises.Delivery != scenarios.AtLeastOnce:
		t.counted(check, "%s", arrived)
	default:
		order, twice := " and in order", ""
		if promises.Order == scenarios.Unordered {
			order = "; their order is not promised"
		}
		if duplicates > 0 {
			twice = fmt.Sprintf(", and %d duplicates, as promises.delivery states", duplicates)
		}
		t.found(check, Passed, "%d of %d messages, unchanged%s%s", len(want), len(want), order, twice)
	}
}

// outcome describes why publications failed.
func outcome(s *seen, who int) string {
	if cause := s.failures[who]; cause != "" {
		return ": " + cause
	}
	return ""
}

// isolates checks that a client of another topic received nothing.
func (t *trial) isolates() {
	if got := t.o.snapshot().messages[secondClient]; len(got) > 0 {
		t.counted("isolates topics", "a client of %s received a message of %s", other, watched)
		return
	}
	t.found("isolates topics", Passed, "a client of %s received none of %d messages", other, t.next)
}

// staysOpen checks that a connection without messages stays open.
func (t *trial) staysOpen(ctx context.Context) {
	if t.Silent == 0 {
		t.found("stays open", NotChecked, "heartbeats may be rare: use --silence 60s")
		return
	}
	before := t.o.snapshot().lost[firstClient]
	if t.o.until(ctx, t.Silent, func(s *seen) bool { return s.lost[firstClient] > before }) {
		t.found("stays open", Failed, "the connection ended within %v without messages: %s", t.Silent, t.o.snapshot().causes[firstClient])
		return
	}
	t.found("stays open", Passed, "%v without messages", t.Silent)
}

// resumes closes the first client's connection, publishes a message and lets the client connect again.
func (t *trial) resumes(ctx context.Context) {
	publisher := t.posts
	if publisher == nil {
		publisher = t.second
	}
	before := t.o.snapshot().lost[firstClient]
	t.between.Block()
	t.o.until(ctx, deliverWait, func(s *seen) bool { return s.lost[firstClient] > before })
	missed := t.publish(publisher, watched)
	t.o.until(ctx, quiet, func(*seen) bool { return false })
	connections := t.o.snapshot().subscribed[firstClient] // a long poll counts when it is sent, so also one that was cut
	t.between.Unblock()
	if !t.o.until(ctx, deliverWait, func(s *seen) bool { return s.subscribed[firstClient] > connections }) {
		t.found("reconnects", Failed, "%s", t.whyNot())
		return
	}
	t.o.until(ctx, quiet, func(*seen) bool { return false }) // until a long poll is held again
	after := t.publish(publisher, watched)
	if !t.o.until(ctx, deliverWait, func(s *seen) bool { return s.has(firstClient, after) }) {
		t.found("reconnects", Failed, "no message within %v of the new connection%s", deliverWait, t.received())
		return
	}
	t.found("reconnects", Passed, "messages arrive again")
	promised := slices.Contains(t.Target.Promises.Resume, t.transport)
	switch got := t.o.snapshot().has(firstClient, missed); {
	case got && promised:
		t.found("resumes", Passed, "the message that was published meanwhile arrived")
	case got:
		t.found("resumes", Passed, "the message that was published meanwhile arrived, although promises.resume does not name it")
	case promised:
		t.found("resumes", Failed, "the message that was published meanwhile is lost; leave the transport out of promises.resume, or give the position (next)")
	default:
		t.found("resumes", Passed, "no resume, as stated: the message that was published meanwhile is lost")
	}
}

// billed names the processes or the page whose CPU time and memory a run measures.
func (t *trial) billed() {
	if t.Target.URL != "" && t.Target.Cost == (scenarios.TargetCost{}) {
		t.found("bills", NotChecked, "cost is not given: CPU and memory of a running server are not measured")
		return
	}
	if page := t.server.Page; page != nil {
		s, err := page.Read()
		if err != nil {
			t.found("bills", Failed, "%v", err)
			return
		}
		t.found("bills", Passed, "%s: %v of CPU time so far, %d MiB", page.URL, s.CPU.Round(time.Millisecond), s.Memory>>20)
		return
	}
	pids, err := t.server.PIDs()
	if err != nil {
		t.found("bills", NotChecked, "%v", err)
		return
	}
	var names []string
	for _, pid := range pids {
		names = append(names, fmt.Sprintf("%s (%d)", cost.Name(pid), pid))
	}
	t.found("bills", Passed, "%s", strings.Join(names, ", "))
}

// distinct keeps the first of equal indexes.
func distinct(all []uint32) (once []uint32) {
	for _, index := range all {
		if !slices.Contains(once, index) {
			once = append(once, index)
		}
	}
	return once
}

// scanner finds the payloads of a trial.
func scanner() *payload.Scanner { return payload.NewScanner(run, func(uint32) int { return size }) }

func indexes(from, to uint32) (all []uint32) {
	for i := from; i < to; i++ {
		all = append(all, i)
	}
	return all
}

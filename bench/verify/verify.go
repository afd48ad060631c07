// Package verify tries a target file against its server: a few messages between two clients, over each
// transport.
//
// It owns what is tried and how a failure is described. It must not measure: a relay between client and
// server records every byte, and adds to every time.
package verify

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
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
	Size   int           // of each payload, in bytes; 0: 64
	Wait   time.Duration // how long to wait for what the server should do; 0: 5 s
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
	Target    scenarios.TargetName `json:"target"`
	Transport scenarios.Transport  `json:"transport"`
	Findings  []Finding            `json:"findings"`
	Ladders   []trace.Trace        `json:"-"` // the traffic of the first client, and of a client that publishes
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

// Names of the topics.
const (
	watched, other = "pushbench-a", "pushbench-b"
	run            = 0x7e57ab1e // marks the payloads
	rounds         = 3          // messages of each publisher
)

// quiet is how long to wait for what should not arrive, and until a long poll is held.
const quiet = 300 * time.Millisecond

func (v *Verification) size() int { return max(v.Size, payload.Min, cmp.Or(v.Size, 64)) }

func (v *Verification) wait() time.Duration { return cmp.Or(v.Wait, 5*time.Second) }

// Do tries the target over one transport, with a fresh server. An error means that the server cannot be reached, or
// that the file does not fit the transport.
func (v Verification) Do(ctx context.Context, transport scenarios.Transport) (r Result, err error) {
	r.Target, r.Transport = v.Target.Name, transport
	dialect, err := target.Compile(v.Target, transport, os.LookupEnv)
	if err != nil {
		return r, err
	}
	if !dialect.Posts() && !dialect.PublishesInFrames() {
		return r, fmt.Errorf("messages are published by POST with %s, and publish.post is missing; add it", transport)
	}
	server, greeting, err := child.StartServer(ctx, v.Serve, child.Options{Preparation: time.Duration(v.Target.Start.Within)})
	if err != nil {
		return r, err
	}
	defer func() {
		ended, exit := server.End(child.ExitTimeout), (*exec.ExitError)(nil)
		for i, f := range r.Findings {
			if output := dialect.Mask([]byte(server.Farewell.Output)); len(output) > 0 {
				r.Findings[i].Detail = strings.Replace(f.Detail, inLog, string(output), 1)
			}
		}
		if errors.As(ended, &exit) && err == nil {
			ended = fmt.Errorf("it was ready, and ended during the checks: %s", server.ExitReason())
		}
		err = cmp.Or(err, ended)
	}()
	ctx, release := child.CancelOnExit(ctx, server)
	defer release()
	if err := v.reach(ctx, greeting.Listening); err != nil {
		return r, err
	}
	secured, err := v.secured(greeting)
	if err != nil {
		return r, err
	}
	between, err := relay.Start(greeting.Listening, secured)
	if err != nil {
		return r, err
	}
	defer between.Close()
	beside, err := relay.Start(greeting.Listening, secured)
	if err != nil {
		return r, err
	}
	defer beside.Close()
	t := &trial{Verification: v, dialect: dialect, transport: transport, server: server, between: between, beside: beside, o: newObserver(trace.Subscribes(transport, dialect))}
	t.payloads = payload.NewScanner(run, func(uint32) int { return v.size() })
	ctx, flooded := context.WithCancelCause(ctx)
	defer flooded(nil)
	for _, r := range []*relay.Relay{between, beside} {
		r.Limit(relay.Most, func() { flooded(relay.ErrMost) })
	}
	config := t.config(greeting)
	config.TLS = secured
	if err := client.CreateTopics(ctx, &config, []string{watched, other}); err != nil {
		return r, err
	}
	if err := t.open(config); err != nil {
		return r, err
	}
	defer t.close()
	t.try(ctx)
	if err := context.Cause(ctx); errors.Is(err, relay.ErrMost) {
		return r, err
	}
	r.Findings = t.findings
	title := string(v.Target.Name) + " over " + string(transport)
	r.Ladders = append(r.Ladders, trace.ReadForeign(title, between.Conversations(), t.o.noted(), dialect.Mask))
	if t.member != nil {
		r.Ladders = append(r.Ladders, trace.ReadForeign(title+": the publisher", beside.Conversations(), nil, dialect.Mask))
	}
	return r, nil
}

// reach returns an error if no server listens at an address: start.log may match before.
func (v *Verification) reach(ctx context.Context, address string) error {
	c, err := (&net.Dialer{Timeout: v.wait()}).DialContext(ctx, "tcp", address)
	if err != nil {
		return fmt.Errorf("the server is ready, but %s accepts no connection: %s; it must listen on {port}", address, client.Cause(err))
	}
	return c.Close()
}

// A trial is the verification of one transport.
type trial struct {
	Verification
	dialect   *target.Dialect
	transport scenarios.Transport
	server    *child.Process
	between   *relay.Relay // of the first client
	beside    *relay.Relay // of the member
	o         *observer
	payloads  *payload.Scanner

	engines       []client.Engine
	first, second client.Session // of a topic each
	member        client.Session // of the first topic, which publishes in frames; nil without publish.frame
	posts         client.Session // nil without publish.post
	next          uint32         // index of the next payload
	published     time.Time      // when the last one was
	findings      []Finding
}

// pollEvery is the interval of short polling.
const pollEvery = 50 * time.Millisecond

// secured is the configuration of connections to a server with TLS; nil for others.
func (v Verification) secured(server child.Greeting) (*tls.Config, error) {
	if !v.Target.Secured() {
		return nil, nil
	}
	config, err := target.TLS(server.Certificate)
	if err == nil {
		config.ServerName = v.Target.Host()
	}
	return config, err
}

// config is that of clients next to the server.
func (t *trial) config(server child.Greeting) client.Config {
	return client.Config{
		Target: server.Listening, Authority: cmp.Or(server.Authority, server.Listening), Workers: 1, Transport: t.transport, Traffic: new(client.Traffic),
		Interval: pollEvery, Pacing: scenarios.FixedRate, Dialect: t.dialect, Payloads: t.payloads,
	}
}

// open prepares the clients: the first one and the member behind a relay each, the others next to the server.
func (t *trial) open(direct client.Config) error {
	relayed := func(r *relay.Relay) client.Config {
		c := direct
		c.Target, c.Traffic, c.TLS = r.Addr, new(client.Traffic), nil // the relay speaks TLS
		return c
	}
	for _, config := range []client.Config{relayed(t.between), direct, relayed(t.beside)} {
		e, err := engines.New(engines.Goroutine, config)
		if err != nil {
			return err
		}
		t.engines = append(t.engines, e)
	}
	return nil
}

func (t *trial) close() {
	for _, s := range []client.Session{t.first, t.second, t.member, t.posts} {
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
	memberClient
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
	t.second = t.engines[1].Open(client.Subscription{Client: secondClient, Topics: []string{other}, Delivery: string(scenarios.Every)}, t.o)
	if t.dialect.PublishesInFrames() { // many servers accept frames from subscribers only
		t.member = t.engines[2].Open(client.Subscription{Client: memberClient, Topics: []string{watched}, Delivery: string(scenarios.Every), Publishes: true}, t.o)
	}
	if !t.subscribes(ctx) {
		return
	}
	publisher := t.member
	if t.dialect.Posts() {
		t.posts = t.engines[1].Open(client.Subscription{Client: backend}, t.o)
		publisher = t.posts
	}
	first := t.begins(ctx, publisher)
	if !t.holds() {
		return
	}
	if first {
		t.found("first message", Passed, "the first message of a topic arrives")
	} else {
		t.found("first message", NotChecked, "the first message of a topic does not arrive; a run publishes it in the warm-up")
	}
	arrives := true
	if t.posts != nil {
		arrives = t.publishes(ctx, "post", backend, t.posts)
	}
	if t.member != nil {
		arrives = t.publishes(ctx, "frame", memberClient, t.member) && arrives
	}
	t.isolates()
	t.staysOpen(ctx)
	if arrives { // else what a client receives later says nothing
		t.resumes(ctx)
	}
	t.billed()
}

// attempts is how many connections may fail before a check gives up.
const attempts = 4

// subscribes waits until all clients are subscribed.
func (t *trial) subscribes(ctx context.Context) bool {
	ready := func(s *seen) bool {
		return s.subscribed[firstClient] > 0 && s.subscribed[secondClient] > 0 && (t.member == nil || s.subscribed[memberClient] > 0)
	}
	t.o.until(ctx, t.wait(), func(s *seen) bool { return ready(s) || s.refused() })
	if !ready(t.o.snapshot()) {
		t.found("subscribes", Failed, "%s", t.whyNot())
		return false
	}
	if t.transport == "longpoll" {
		if t.o.until(ctx, quiet, func(s *seen) bool { return s.lost[firstClient] > 0 }) { // else the first polls are held
			t.o.until(ctx, t.wait(), (*seen).refused)
		}
	}
	return true
}

// refused reports whether the server ended too many connections.
func (s *seen) refused() bool { return s.lost[firstClient] >= attempts }

// holds checks, after the first message, that the clients are still subscribed. A long poll has no response before it.
func (t *trial) holds() bool {
	if t.o.snapshot().refused() {
		t.found("subscribes", Failed, "%s", t.whyNot())
		return false
	}
	t.found("subscribes", Passed, "two clients, each to a topic of its own")
	return true
}

// whyNot describes why the first client is not subscribed.
func (t *trial) whyNot() string {
	s := t.o.snapshot()
	why, advice := fmt.Sprintf("not subscribed within %v", t.wait()), "; see the port and path"
	if s.refused() {
		why = fmt.Sprintf("not subscribed after %d attempts", attempts)
	}
	if cause := s.causes[firstClient]; cause != "" {
		why, advice = why+": "+cause, hint(cause)
	}
	if step := t.Target.DescribeStep(t.transport, int(s.step[firstClient])); step != "" {
		why += "; " + step
		if s.causes[firstClient] == "" {
			advice = "; change the step, or add steps for what comes first"
		}
	}
	return why + t.received() + advice
}

// conversations returns the traffic of a relay without logins.
func (t *trial) conversations(r *relay.Relay) []relay.Conversation {
	all := r.Conversations()
	for i := range all {
		all[i].Up, all[i].Down = t.dialect.Mask(all[i].Up), t.dialect.Mask(all[i].Down)
	}
	return all
}

// publish publishes one message and returns its index.
func (t *trial) publish(s client.Session, topic string) uint32 {
	index := t.next
	t.next++
	t.published = time.Now()
	s.Publish(index, topic, payload.Append(nil, run, index, t.size()))
	return index
}

// begins publishes the first message of the topic, and reports whether it arrives. A server may lose it: a client that
// polls may have no position before it.
func (t *trial) begins(ctx context.Context, s client.Session) bool {
	first := t.publish(s, watched)
	t.o.until(ctx, t.wait(), func(s *seen) bool {
		return s.arrived(first) || s.refused() || len(s.failures) > 0 && s.lost[firstClient] == 0
	})
	return t.o.snapshot().has(firstClient, first)
}

// publishes checks that messages reach the subscriber in order and unchanged, and that the server acknowledges
// them. It reports whether they arrive.
func (t *trial) publishes(ctx context.Context, how string, who int, s client.Session) (arrive bool) {
	from, before := t.next, 0
	if how == "post" || !t.dialect.Posts() {
		before = 1 // the first message of the topic
	}
	lost := t.o.snapshot().lost[who]
	for range rounds {
		t.publish(s, watched)
	}
	acknowledges := how == "post" || t.dialect.Acknowledges()
	t.o.until(ctx, t.wait(), func(s *seen) bool {
		all := !slices.ContainsFunc(indexes(from, t.next), func(i uint32) bool { return !s.arrived(i) })
		return s.failures[who] != "" || s.lost[who] > lost || all && (!acknowledges || s.acked[who] >= before+rounds)
	})
	t.o.until(ctx, quiet, func(*seen) bool { return false }) // duplicates may follow
	now := t.o.snapshot()
	if how == "frame" && now.lost[who] > lost {
		now.failures[who] = now.causes[who] // a frame has no outcome after its connection, and the next one no connection
	}
	t.delivers("delivers by "+how, now, who, from)
	check := "acknowledges by " + how
	switch got := max(0, now.acked[who]-before); {
	case !acknowledges:
		t.found(check, NotChecked, "publish.ack is not given")
	case got >= rounds:
		t.found(check, Passed, "%d of %d publications", got, rounds)
	case now.failures[who] != "":
		t.found(check, Failed, "%d of %d publications: %s%s", got, rounds, now.failures[who], hint(now.failures[who]))
	case how == "post":
		t.counted(check, "%d of %d publications within %v: the server does not respond to POST", got, rounds, t.wait())
	default:
		t.counted(check, "%d of %d publications within %v: no record without a payload matches publish.ack, %s%s", got, rounds, t.wait(), t.Target.Publish.Ack, t.publisherReceived())
	}
	return len(now.since(firstClient, from)) > 0
}

// delivers checks what has arrived of the messages from an index on.
func (t *trial) delivers(check string, now *seen, who int, from uint32) {
	want, got := indexes(from, t.next), now.since(firstClient, from)
	missing := slices.DeleteFunc(slices.Clone(want), func(i uint32) bool { return slices.Contains(got, i) })
	count := fmt.Sprintf("%d of %d messages of %d B", len(want)-len(missing), len(want), t.size())
	within := fmt.Sprintf("%s within %v", count, t.wait())
	switch cause := now.failures[who]; {
	case len(missing) == 0:
		t.orders(check, want, got)
	case cause != "":
		t.found(check, Failed, "%s: %s%s", count, cause, hint(cause))
	case now.has(secondClient, missing[0]):
		t.counted(check, "the server swaps topics: a client of %s received what was published to %s", other, watched)
	case t.damage(now, missing[0]) != "":
		t.counted(check, "the server changes the payload: %s", t.damage(now, missing[0]))
	case who == backend && now.acked[who] == 0 && len(now.messages[firstClient]) > 0:
		t.found(check, NotChecked, "the next POST waits for the response to the first one")
	case len(got) == 0:
		t.found(check, Failed, "%s%s; see publish", within, t.received())
	default:
		t.counted(check, "%s%s", within, t.received())
	}
}

// orders compares the order of messages that have all arrived, and their duplicates, with the promises.
func (t *trial) orders(check string, want, got []uint32) {
	promises, once := t.Target.Promises, distinct(got)
	swapped, duplicates := !slices.Equal(once, want), len(got)-len(once)
	arrived := fmt.Sprintf("messages %v arrived as %s", want, listed(got))
	if !swapped && duplicates == len(once) {
		arrived = fmt.Sprintf("each of %d messages arrived twice", len(want))
	}
	switch {
	case swapped && promises.Order == scenarios.PerTopic:
		t.found(check, Failed, "%s, and promises.order is per_topic; leave it out, or use none", arrived)
	case duplicates > 0 && promises.Delivery == scenarios.AtMostOnce:
		t.found(check, Failed, "%s, and promises.delivery is at_most_once; leave it out, or use at_least_once", arrived)
	case swapped && promises.Order != scenarios.Unordered:
		t.counted(check, "%s; promises.order: none states that the server may do so", arrived)
	case duplicates > 0 && promises.Delivery != scenarios.AtLeastOnce:
		t.counted(check, "%s; promises.delivery: at_least_once states that the server may do so", arrived)
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

// listed shows the first of many indexes.
func listed(all []uint32) string {
	const most = 20
	if len(all) <= most {
		return fmt.Sprint(all)
	}
	return fmt.Sprintf("%v and %d more", all[:most], len(all)-most)
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
	before, began := t.o.snapshot().lost[firstClient], time.Now()
	if t.o.until(ctx, t.Silent, func(s *seen) bool { return s.lost[firstClient] > before }) {
		after := time.Since(t.published).Round(100 * time.Millisecond)
		t.found("stays open", Failed, "the connection ended after %v without messages: %s%s", after, t.o.snapshot().causes[firstClient], t.sentSince(began))
		return
	}
	t.found("stays open", Passed, "%v without messages%s", t.Silent, t.sentSince(began))
}

// staysUp waits until the first client is subscribed, and remains so. A long poll counts when it is sent, so also one that
// the relay still cuts.
func (t *trial) staysUp(ctx context.Context) bool {
	up := func(s *seen) bool { return s.up[firstClient] }
	for range attempts {
		if !t.o.until(ctx, t.wait(), up) {
			return false
		}
		if !t.o.until(ctx, quiet, func(s *seen) bool { return !up(s) }) {
			return true
		}
	}
	return false
}

// resumes closes the first client's connection, publishes a message and lets the client connect again.
func (t *trial) resumes(ctx context.Context) {
	publisher := t.posts
	if publisher == nil {
		publisher = t.member
	}
	before := t.o.snapshot().lost[firstClient]
	t.o.note("pushbench closes the connection, and those that follow")
	t.between.Block()
	t.o.until(ctx, t.wait(), func(s *seen) bool { return s.lost[firstClient] > before })
	missed := t.publish(publisher, watched)
	t.o.until(ctx, quiet, func(*seen) bool { return false })
	t.between.Unblock()
	t.o.note("pushbench permits connections again")
	if !t.staysUp(ctx) {
		t.found("reconnects", Failed, "%s", t.whyNot())
		return
	}
	after := t.publish(publisher, watched)
	if !t.o.until(ctx, t.wait(), func(s *seen) bool { return s.has(firstClient, after) }) {
		t.found("reconnects", Failed, "no message within %v of the new connection%s", t.wait(), t.received())
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

func indexes(from, to uint32) (all []uint32) {
	for i := from; i < to; i++ {
		all = append(all, i)
	}
	return all
}

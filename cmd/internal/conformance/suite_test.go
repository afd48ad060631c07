package conformance

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pushbench/bench/client"
	"pushbench/bench/client/clienttest"
	"pushbench/bench/clock"
	"pushbench/bench/relay"
	"pushbench/cmd/internal/inprocess"
	"pushbench/results"
	"pushbench/scenarios"
	"pushbench/scenarios/transports"
)

// run checks an engine and a server against the contract, over every transport. The caller
// closes newEngine's engines after the sessions: in a Cleanup.
//
// The tests run in parallel. runDialled runs those that apply to a client that
// listens: no relay can interrupt such a client's connection, or read its bytes.
func run(t *testing.T, tests suite, newEngine func(client.Config) client.Engine, server inprocess.Server) {
	for _, transport := range scenarios.ClientOpened {
		t.Run(string(transport), func(t *testing.T) { runTests(t, transport, tests.of(contractTests), newEngine, server) })
	}
}

// runDialled checks an engine and a server that dials it against the contract.
func runDialled(t *testing.T, tests suite, newEngine func(client.Config) client.Engine, server inprocess.Server) {
	dialled := slices.DeleteFunc(slices.Clone(contractTests), func(c contractTest) bool { return c.dialsOnly })
	dialled = append(dialled, contractTest{name: "every byte is counted as a part", run: allBytesCounted, smoke: true})
	runTests(t, transports.Webhook, tests.of(dialled), newEngine, server)
}

// A suite is a set of contract tests.
type suite bool

// smoke is the few tests that show most of what an HTTP library can break: framing,
// payloads, resuming, stopping and the counts of bytes and requests.
const (
	all   suite = false
	smoke suite = true
)

func (s suite) of(tests []contractTest) []contractTest {
	if s == all {
		return tests
	}
	return slices.DeleteFunc(slices.Clone(tests), func(c contractTest) bool { return !c.smoke })
}

func runTests(t *testing.T, transport scenarios.Transport, tests []contractTest, newEngine func(client.Config) client.Engine, server inprocess.Server) {
	server.Transport = string(transport)
	for _, c := range tests {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			c.run(&fixture{T: t, transport: transport, newEngine: newEngine, server: inprocess.Start(t, server)})
		})
	}
}

// A contractTest is one test of the contract.
type contractTest struct {
	name      string
	run       func(*fixture)
	dialsOnly bool // it interrupts or reads a connection that the client has dialled
	smoke     bool // it belongs to smoke
}

var contractTests = []contractTest{
	{name: "the subscribe-ack comes first", run: ackFirst, smoke: true},
	{name: "a publication is delivered to its author and to others", run: publishAndReceive},
	{name: "a publish-only client receives no message", run: publishOnly, dialsOnly: true},
	{name: "a feed is published on schedule and in order", run: scheduledFeed},
	{name: "payloads are the same bytes", run: sameBytes, smoke: true},
	{name: "many topics", run: manyTopics},
	{name: "no message is lost between two polls", run: betweenPolls},
	{name: "a reconnect before the first message loses no message", run: reconnectBeforeFirst, dialsOnly: true},
	{name: "a resume within the ring loses no message", run: insideRing, dialsOnly: true, smoke: true},
	{name: "a resume beyond the ring receives the exact gap", run: beyondRing, dialsOnly: true},
	{name: "another epoch yields an open gap", run: otherEpoch, dialsOnly: true},
	{name: "latest delivers only the newest message", run: latest, dialsOnly: true},
	{name: "a graceful stop delivers messages first", run: gracefulStop, dialsOnly: true, smoke: true},
	{name: "bytes and requests match the wire", run: exactCounts, dialsOnly: true, smoke: true},
	{name: "a closed session reports no events", run: closedSession},
}

// A fixture is the server, clients and relay of one test.
type fixture struct {
	*testing.T
	transport scenarios.Transport
	newEngine func(client.Config) client.Engine
	server    *inprocess.Server
	relay     *relay.Relay // between the clients and the server; nil before open
	traffic   client.Traffic
	engine    client.Engine
	observer  *clienttest.Observer
	backend   *publisher // nil before publish
}

// The interval is short, because it determines the duration of a test; the poll timeout is longer than the test.
const (
	interval    = 10 * time.Millisecond
	pollTimeout = 25 * time.Second
)

// open opens a client through the relay and waits until it is subscribed.
func (s *fixture) open(c int, change func(*client.Subscription), topics ...string) client.Session {
	s.Helper()
	if s.engine == nil {
		s.relay = relayed(s, s.server.Addr)
		s.observer = clienttest.NewObserver()
		s.engine = s.newEngine(s.config(s.relay.Addr, &s.traffic))
	}
	sub := client.Subscription{Client: c, Worker: c % s.engine.Workers(), Topics: topics, Delivery: string(scenarios.Every)}
	if change != nil {
		change(&sub)
	}
	session := s.engine.Open(sub, s.observer)
	s.Cleanup(session.Close)
	s.observer.Await(s, "subscribe-ack", func(calls []clienttest.Call) bool { return len(clienttest.Batches(calls, c)) > 0 })
	return session
}

func (s *fixture) config(target string, traffic *client.Traffic) client.Config {
	return client.Config{Target: target, Transport: s.transport, Traffic: traffic, Interval: interval, Pacing: scenarios.FixedRate, PollTimeout: pollTimeout}
}

// A publisher publishes directly to the server, without the relay.
type publisher struct {
	session  client.Session
	observer *clienttest.Observer
	traffic  client.Traffic
	sent     uint32
}

// publish publishes directly to the server and returns the acknowledged seq.
func (s *fixture) publish(topic, data string) uint64 {
	s.Helper()
	if s.backend == nil {
		p := &publisher{observer: clienttest.NewObserver()}
		p.session = s.newEngine(s.config(s.server.Addr, &p.traffic)).Open(client.Subscription{Client: -1, Publishes: true}, p.observer)
		s.Cleanup(p.session.Close)
		s.backend = p
	}
	s.backend.sent++
	s.backend.session.Publish(s.backend.sent, topic, []byte(data))
	return acknowledged(s.T, s.backend.observer, -1, s.backend.sent)
}

// acknowledged waits for the acknowledgement of a publication.
func acknowledged(t *testing.T, w *clienttest.Observer, c int, id uint32) uint64 {
	t.Helper()
	outcome := func(calls []clienttest.Call) []client.Event {
		return slices.DeleteFunc(clienttest.Events(calls, c, client.Acked, client.Failed, client.Dropped), func(e client.Event) bool { return e.ID != id })
	}
	w.Await(t, fmt.Sprintf("outcome of publication %d", id), func(calls []clienttest.Call) bool { return len(outcome(calls)) > 0 })
	e := outcome(w.All())[0]
	if e.Kind != client.Acked {
		t.Fatalf("publication %d, want it acknowledged:\n%s", id, clienttest.Format([]clienttest.Call{{Client: c, Event: e}}))
	}
	return e.Seq
}

// expect waits for the number of wanted messages and compares all received ones.
// A message is formatted as topic#seq=data.
func (s *fixture) expect(c int, want ...string) {
	s.Helper()
	got := func(calls []clienttest.Call) (lines []string) {
		for _, m := range clienttest.Messages(calls, c) {
			lines = append(lines, fmt.Sprintf("%s#%d=%s", m.Topic, m.Seq, m.Data))
		}
		return lines
	}
	s.observer.Await(s, fmt.Sprintf("%d messages", len(want)), func(calls []clienttest.Call) bool { return len(got(calls)) >= len(want) })
	if lines := got(s.observer.All()); !slices.Equal(lines, want) {
		s.Errorf("client %d got\n%s\nwant\n%s", c, quoteLines(lines), quoteLines(want))
	}
}

func quoteLines(lines []string) string {
	var b strings.Builder
	for _, l := range lines {
		fmt.Fprintf(&b, "\t%.100q\n", l)
	}
	return b.String()
}

// expectGaps compares the gaps that a client received.
func (s *fixture) expectGaps(c int, want ...client.Gap) {
	s.Helper()
	if got := clienttest.Gaps(s.observer.All(), c); !slices.Equal(got, want) {
		s.Errorf("client %d received the gaps %+v, want %+v", c, got, want)
	}
}

// whileDisconnected calls do after the client has detected its disconnection.
func (s *fixture) whileDisconnected(c int, do func()) {
	s.Helper()
	before := len(clienttest.Events(s.observer.All(), c, client.Disconnected))
	s.relay.Block()
	s.observer.Await(s, "disconnected event", func(calls []clienttest.Call) bool {
		return len(clienttest.Events(calls, c, client.Disconnected)) > before
	})
	do()
	s.relay.Unblock()
	s.observer.Await(s, "resumed connection", func(calls []clienttest.Call) bool {
		return slices.ContainsFunc(clienttest.Events(calls, c, client.Connected), func(e client.Event) bool { return e.Stages.Resume })
	})
}

func ackFirst(s *fixture) {
	s.publish("a", "before")
	s.open(0, nil, "a")
	first := s.observer.All()
	ack := clienttest.Batches(first, 0)[0]
	if !ack.Ack || len(ack.Messages) != 0 || len(ack.Gaps) != 0 || len(ack.Cursor) == 0 {
		s.Errorf("the first batch is %+v, want an ack with only a cursor", ack)
	}
	checkStages(s, clienttest.Events(first, 0, client.Connecting, client.Connected))
	s.publish("a", "after")
	s.expect(0, "a#2=after")
}

func checkStages(s *fixture, events []client.Event) {
	s.Helper()
	if len(events) != 2 || events[0].Kind != client.Connecting || events[1].Kind != client.Connected {
		s.Fatalf("events %+v, want connecting and connected", events)
	}
	st := events[1].Stages
	if st.TCP <= 0 || st.Response < st.TCP || st.Ready < st.Response || st.Resume {
		s.Errorf("stages %+v, want 0 < tcp ≤ response ≤ ready, and no resume", st)
	}
	if st.Requests != 1 || st.BytesUp == 0 || st.BytesDown == 0 {
		s.Errorf("stages %+v, want one request and bytes both ways", st)
	}
}

func publishAndReceive(s *fixture) {
	publishes := func(sub *client.Subscription) { sub.Publishes = true }
	author := s.open(0, publishes, "a")
	s.open(1, nil, "a")
	for id := uint32(1); id <= 5; id++ {
		author.Publish(id, "a", []byte(fmt.Sprint("word ", id)))
		if seq := acknowledged(s.T, s.observer, 0, id); seq != uint64(id) {
			s.Errorf("publication %d got seq %d", id, seq)
		}
	}
	for c := range 2 {
		s.expect(c, "a#1=word 1", "a#2=word 2", "a#3=word 3", "a#4=word 4", "a#5=word 5")
	}
	if sent := clienttest.Events(s.observer.All(), 0, client.Sending); len(sent) != 5 {
		s.Errorf("got %d sending events, want 5", len(sent))
	}
}

// A publish-only client has no topics, but a separate connection through the relay.
func publishOnly(s *fixture) {
	s.open(0, nil, "a")
	const c = 1
	publishOnlyClient := s.engine.Open(client.Subscription{Client: c, Worker: c % s.engine.Workers(), Publishes: true, PublishOnly: true}, s.observer)
	s.Cleanup(publishOnlyClient.Close)
	connected := func(n int) {
		s.Helper()
		s.observer.Await(s, "connected event", func(calls []clienttest.Call) bool { return len(clienttest.Events(calls, c, client.Connected)) >= n })
	}
	connected(1)
	for id := uint32(1); id <= 3; id++ {
		publishOnlyClient.Publish(id, "a", []byte(fmt.Sprint("word ", id)))
		acknowledged(s.T, s.observer, c, id)
	}
	s.expect(0, "a#1=word 1", "a#2=word 2", "a#3=word 3")
	s.whileDisconnected(0, func() {
		s.observer.Await(s, "disconnected event of the publish-only client", func(calls []clienttest.Call) bool { return len(clienttest.Events(calls, c, client.Disconnected)) > 0 })
		s.publish("a", "in the meantime") // a resumed poll waits until there is a message
	})
	if s.transport == transports.WebSocket { // the others connect when there is something to publish
		connected(2)
	}
	publishOnlyClient.Publish(4, "a", []byte("word 4"))
	acknowledged(s.T, s.observer, c, 4)
	s.expect(0, "a#1=word 1", "a#2=word 2", "a#3=word 3", "a#4=in the meantime", "a#5=word 4")
	if got := clienttest.Messages(s.observer.All(), c); len(got) != 0 {
		s.Errorf("the publish-only client received %d messages, want none", len(got))
	}
}

// A feed has a few publications.
type feed struct {
	publications []client.Publication
	due          []clock.Instant
	ended        chan struct{}
}

func (f *feed) Next() (clock.Instant, bool) {
	if len(f.due) == 0 {
		close(f.ended)
		return 0, false
	}
	return f.due[0], true
}

func (f *feed) Take() client.Publication {
	p := f.publications[0]
	f.publications, f.due = f.publications[1:], f.due[1:]
	return p
}

func scheduledFeed(s *fixture) {
	author := s.open(0, func(sub *client.Subscription) { sub.Publishes = true }, "a")
	f := &feed{ended: make(chan struct{})}
	begin := clock.Now()
	var due []clock.Instant
	var want []string
	// In the past, now, three at one instant, and beyond the time after which the engine queries a feed again.
	for id, offset := range []time.Duration{-1000, 0, 5, 5, 5, 30, 130} {
		due = append(due, begin.Add(offset*time.Millisecond))
		f.publications = append(f.publications, client.Publication{Session: author, ID: uint32(id), Topic: "a", Payload: []byte(fmt.Sprint(id))})
		want = append(want, fmt.Sprintf("a#%d=%d", id+1, id))
	}
	f.due = slices.Clone(due)
	s.engine.Pace(0, f)
	<-f.ended
	s.expect(0, want...)
	for _, one := range s.observer.All() {
		if one.Batch == nil && one.Event.Kind == client.Sending && one.At < due[one.Event.ID] {
			s.Errorf("publication %d was sent %v before it was due", one.Event.ID, due[one.Event.ID].Sub(one.At))
		}
	}
}

// trickyPayloads cover every escape, every framing and every length field.
var trickyPayloads = []string{
	"", " ", "plain", `"`, `\`, `\u0041`, `{"cursor":"x","messages":[]}`, "</script>", "a\nb", "a\r\nb", "\n\n", "\r\n\r\n",
	"data: x\n\nid: 1\n\n", "0\r\n\r\n", "\x00\x01\x1f\x7f", "\u2028\u2029\ufeff", "é😀\U0010ffff", strings.Repeat("\x01", 200),
	strings.Repeat("x", 125), strings.Repeat("x", 126), strings.Repeat("x", 65535), strings.Repeat("x", 65536),
	strings.Repeat(`"`, 65536), strings.Repeat("😀", 16384),
}

func sameBytes(s *fixture) {
	author := s.open(0, func(sub *client.Subscription) { sub.Publishes = true }, "a", "b")
	var want []string
	for i, data := range trickyPayloads {
		want = append(want, fmt.Sprintf("a#%d=%s", i+1, data), fmt.Sprintf("b#%d=%s", i+1, data))
		s.publish("a", data)
		author.Publish(uint32(i), "b", []byte(data))
		acknowledged(s.T, s.observer, 0, uint32(i))
	}
	s.expect(0, want...)
}

func manyTopics(s *fixture) {
	const n = 200
	topics := make([]string, n)
	for i := range topics {
		topics[i] = fmt.Sprintf("topic-%03d", i)
	}
	s.open(0, nil, topics...)
	var want []string
	for _, topic := range topics {
		s.publish(topic, "x")
		want = append(want, topic+"#1=x")
	}
	s.expect(0, want...)
}

// Each message is published as soon as the previous one was received: on long polling
// this is between a response and the next poll.
func betweenPolls(s *fixture) {
	s.open(0, nil, "a")
	var want []string
	for i := range 100 {
		s.publish("a", fmt.Sprint(i))
		want = append(want, fmt.Sprintf("a#%d=%d", i+1, i))
		if i%3 == 0 {
			continue // publishes two messages without waiting
		}
		s.observer.Await(s, "last message", func(calls []clienttest.Call) bool { return len(clienttest.Messages(calls, 0)) > i })
	}
	s.expect(0, want...)
	s.expectGaps(0)
}

func reconnectBeforeFirst(s *fixture) {
	s.open(0, nil, "a")
	s.whileDisconnected(0, func() { s.publish("a", "while away") })
	s.expect(0, "a#1=while away")
	s.expectGaps(0)
}

func insideRing(s *fixture) {
	s.open(0, nil, "a", "b")
	s.publish("a", "1")
	s.publish("b", "2")
	s.expect(0, "a#1=1", "b#1=2")
	s.whileDisconnected(0, func() {
		for i := range 20 {
			s.publish([]string{"a", "b"}[i%2], fmt.Sprint(i+3))
		}
	})
	want := []string{"a#1=1", "b#1=2"}
	for i := range 20 {
		want = append(want, fmt.Sprintf("%s#%d=%d", []string{"a", "b"}[i%2], i/2+2, i+3))
	}
	s.expect(0, want...)
	s.expectGaps(0)
}

func beyondRing(s *fixture) {
	const ring = 4
	s.server.Restart(ring)
	s.open(0, nil, "a", "b")
	s.publish("a", "1")
	s.publish("a", "2")
	s.expect(0, "a#1=1", "a#2=2")
	s.whileDisconnected(0, func() {
		for i := 3; i <= 12; i++ {
			s.publish("a", fmt.Sprint(i))
		}
		s.publish("b", "x") // b has no gap
	})
	s.expect(0, "a#1=1", "a#2=2", "a#9=9", "a#10=10", "a#11=11", "a#12=12", "b#1=x")
	s.expectGaps(0, client.Gap{Topic: "a", From: 3, To: 8})
}

func otherEpoch(s *fixture) {
	s.open(0, nil, "a")
	s.publish("a", "old")
	s.expect(0, "a#1=old")
	s.whileDisconnected(0, func() {
		s.server.Restart(0)
		s.publishAfterRestart("a", "new")
	})
	s.expect(0, "a#1=old", "a#1=new")
	s.expectGaps(0, client.Gap{Topic: "a", From: 1, EpochChanged: true})
}

// publishAfterRestart publishes from a new publisher, which has no connection to the old server.
func (s *fixture) publishAfterRestart(topic, data string) {
	s.Helper()
	if s.backend != nil {
		s.backend.session.Close()
		s.backend = nil
	}
	s.publish(topic, data)
}

func latest(s *fixture) {
	s.open(0, func(sub *client.Subscription) { sub.Delivery = string(scenarios.Latest) }, "a", "b")
	s.whileDisconnected(0, func() {
		for i := range 5 {
			s.publish("a", fmt.Sprint(i))
		}
		s.publish("b", "only")
	})
	s.expect(0, "a#5=4", "b#1=only")
	s.expectGaps(0)
}

// disconnectCauses returns the causes that a transport's client may report after a graceful stop.
func disconnectCauses(t transports.Transport) []string {
	switch {
	case t.Upgrades:
		return []string{"WebSocket closed by server with code 1001"}
	case t.Streams:
		return []string{"connection closed by server"}
	default:
		return []string{"connection refused", "connection closed by server", "connection reset"}
	}
}

// awaitSecondPoll waits until the server has read the poll after the first response. Its
// arrival is not enough: a server that stops closes a connection on which it has
// read nothing since its last response.
func (s *fixture) awaitSecondPoll() {
	s.Helper()
	s.awaitAgreement("after the first response", func() string {
		if s.server.Service.Stats().Requests["poll"] < 2 {
			return "the client does not send a second poll"
		}
		return ""
	})
}

func gracefulStop(s *fixture) {
	s.open(0, nil, "a")
	if s.transport == transports.LongPoll {
		s.awaitSecondPoll() // the stop must find a waiting poll
	}
	s.publish("a", "last message")
	s.server.Stop()
	s.observer.Await(s, "disconnected event", func(calls []clienttest.Call) bool { return len(clienttest.Events(calls, 0, client.Disconnected)) > 0 })
	if s.transport != transports.ShortPoll { // its next poll is after the interval
		s.expect(0, "a#1=last message")
	}
	first := clienttest.Events(s.observer.All(), 0, client.Disconnected)[0]
	if wanted := disconnectCauses(transports.Of(s.transport)); !slices.Contains(wanted, first.Cause) {
		s.Errorf("disconnected with cause %q, want one of %q", first.Cause, wanted)
	}
	s.server.Restart(0)
	s.observer.Await(s, "new epoch", func(calls []clienttest.Call) bool { return len(clienttest.Gaps(calls, 0)) > 0 })
}

func exactCounts(s *fixture) {
	author := s.open(0, func(sub *client.Subscription) { sub.Publishes = true }, "a", "b")
	s.open(1, nil, "a")
	publishRange := func(from, to uint32) {
		for id := from; id < to; id++ {
			author.Publish(id, "a", []byte(trickyPayloads[id]))
			acknowledged(s.T, s.observer, 0, id)
		}
		for c := range 2 {
			s.observer.Await(s, "every message", func(calls []clienttest.Call) bool { return len(clienttest.Messages(calls, c)) >= int(to) })
		}
	}
	publishRange(0, 6)
	s.checkCounts("in the first connections")
	s.whileDisconnected(0, func() { s.publish("a", "while away") }) // a long poll is connected again when it has a response
	s.observer.Await(s, "client 1 connected again", func(calls []clienttest.Call) bool { return len(clienttest.Events(calls, 1, client.Connected)) > 1 })
	publishRange(7, uint32(len(trickyPayloads)))
	s.checkCounts("after a reconnect")
}

// checkCounts waits until the clients and the relay have the same counts, to the
// byte: bytes in transit cause a temporary difference, a wrong count a permanent one.
func (s *fixture) checkCounts(when string) { s.Helper(); s.awaitAgreement(when, s.difference) }

// awaitAgreement waits until there is no difference.
func (s *fixture) awaitAgreement(when string, differs func() string) {
	s.Helper()
	var difference string
	limit := time.After(clienttest.Timeout)
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for {
		if difference = differs(); difference == "" {
			return
		}
		select {
		case <-tick.C:
		case <-limit:
			s.Fatalf("%s: %s", when, difference)
		}
	}
}

func (s *fixture) difference() string {
	up, down := s.relay.Bytes()
	requests, accepted := s.relay.Requests(), s.relay.Accepted()
	w := s.traffic.Snapshot()
	if s.server.Secured != nil { // no relay can read TLS
		requests = w.Requests
	}
	for _, c := range []struct {
		what      string
		got, want int64
	}{
		{"bytes up", w.Up.Bytes, up},
		{"bytes down", w.Down.Bytes, down},
		{"parts of the bytes up", w.Up.Payload + w.Up.Envelope + w.Up.Framing + w.Up.Headers, up},
		{"parts of the bytes down", w.Down.Payload + w.Down.Envelope + w.Down.Framing + w.Down.Headers, down},
		{"requests", w.Requests, requests},
		{"dials", w.Dials, accepted},
	} {
		if c.got != c.want {
			return fmt.Sprintf("the clients count %d %s, the relay saw %d", c.got, c.what, c.want)
		}
	}
	return ""
}

func closedSession(s *fixture) {
	session := s.open(0, func(sub *client.Subscription) { sub.Publishes = true }, "a")
	s.open(1, nil, "a")
	session.Close()
	before := len(clienttest.Batches(s.observer.All(), 0)) + len(clienttest.Events(s.observer.All(), 0, client.Disconnected, client.Polled))
	s.publish("a", "to the other")
	s.expect(1, "a#1=to the other")
	session.Publish(1, "a", []byte("too late"))
	if lost := clienttest.Events(s.observer.All(), 0, client.Dropped); len(lost) != 1 || lost[0].Cause != client.CauseClosed {
		s.Errorf("publishing in a closed session reported %+v, want dropped: %s", lost, client.CauseClosed)
	}
	after := len(clienttest.Batches(s.observer.All(), 0)) + len(clienttest.Events(s.observer.All(), 0, client.Disconnected, client.Polled))
	if after != before {
		s.Errorf("got %d more calls of the sink after Close:\n%s", after-before, clienttest.Format(s.observer.All()))
	}
}

// allBytesCounted replaces exactCounts if the server dials.
func allBytesCounted(s *fixture) {
	author := s.open(0, func(sub *client.Subscription) { sub.Publishes = true }, "a", "b")
	s.open(1, nil, "b")
	for i, data := range trickyPayloads {
		author.Publish(uint32(i), "b", []byte(data))
		acknowledged(s.T, s.observer, 0, uint32(i))
	}
	for c := range 2 {
		s.observer.Await(s, "all messages", func(calls []clienttest.Call) bool { return len(clienttest.Messages(calls, c)) == len(trickyPayloads) })
	}
	s.awaitAgreement("at the end", func() string {
		w := s.traffic.Snapshot()
		for way, d := range map[string]results.Direction{"up": w.Up, "down": w.Down} {
			if parts := d.Payload + d.Envelope + d.Framing + d.Headers; d.Bytes == 0 || parts != d.Bytes {
				return fmt.Sprintf("%s: %d bytes, but their parts sum to %d: %+v", way, d.Bytes, parts, d)
			}
		}
		if w.Dials != 3 || w.Requests != 2+int64(len(trickyPayloads)) || w.Polls != 0 || w.Reconnects != 0 {
			return fmt.Sprintf("want 3 connections, one registration each and %d publications, got %+v", len(trickyPayloads), w)
		}
		return ""
	})
}

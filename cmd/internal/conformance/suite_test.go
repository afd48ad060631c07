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

// run holds an engine and a server to the contract, over every transport. newEngine's
// engines are closed by the caller, after the sessions: in a Cleanup.
//
// The cases run in parallel. runDialled runs those of them that apply to a client that
// listens: no relay can cut such a client's connection, or read what crosses it.
func run(t *testing.T, cases amount, newEngine func(client.Config) client.Engine, server inprocess.Server) {
	for _, transport := range scenarios.ClientOpened {
		t.Run(string(transport), func(t *testing.T) { play(t, transport, cases.of(allCases), newEngine, server) })
	}
}

// runDialled holds an engine and a server that dials it to the contract.
func runDialled(t *testing.T, cases amount, newEngine func(client.Config) client.Engine, server inprocess.Server) {
	able := slices.DeleteFunc(slices.Clone(allCases), func(c scene) bool { return c.dials })
	able = append(able, scene{name: "every byte is understood", run: allUnderstood, smoke: true})
	play(t, transports.Webhook, cases.of(able), newEngine, server)
}

// An amount says how many cases are run.
type amount bool

// smoke is the few cases that show most of what an HTTP library can break: framing,
// payloads, resuming, stopping and the counts of bytes and requests.
const (
	all   amount = false
	smoke amount = true
)

func (a amount) of(cases []scene) []scene {
	if a == all {
		return cases
	}
	return slices.DeleteFunc(slices.Clone(cases), func(c scene) bool { return !c.smoke })
}

func play(t *testing.T, transport scenarios.Transport, cases []scene, newEngine func(client.Config) client.Engine, server inprocess.Server) {
	server.Transport = string(transport)
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			c.run(&stage{T: t, transport: transport, newEngine: newEngine, server: inprocess.Start(t, server)})
		})
	}
}

// A scene is what one case plays.
type scene struct {
	name  string
	run   func(*stage)
	dials bool // it takes away, or looks at, a connection that the client has dialled
	smoke bool // it is one of the few: see smoke
}

var allCases = []scene{
	{name: "the subscribe-ack comes first", run: ackFirst, smoke: true},
	{name: "a publication comes back and to others", run: ownWay},
	{name: "a reporter publishes and is delivered nothing", run: reporting, dials: true},
	{name: "a feed is published when it is due, in order", run: feeding},
	{name: "payloads are the same bytes", run: sameBytes, smoke: true},
	{name: "many topics", run: manyTopics},
	{name: "what is published between two polls is not lost", run: betweenPolls},
	{name: "a reconnect before the first message loses nothing", run: beforeFirst, dials: true},
	{name: "a resume inside the ring loses nothing", run: insideRing, dials: true, smoke: true},
	{name: "a resume beyond the ring is told the exact gap", run: beyondRing, dials: true},
	{name: "another epoch is a gap without an end", run: otherEpoch, dials: true},
	{name: "latest is the newest alone", run: latest, dials: true},
	{name: "a server that stops in good order delivers first", run: gracefulStop, dials: true, smoke: true},
	{name: "bytes and requests are what crossed the wire", run: exactCounts, dials: true, smoke: true},
	{name: "a closed session is silent", run: silence},
}

// A stage is what one case plays on.
type stage struct {
	*testing.T
	transport scenarios.Transport
	newEngine func(client.Config) client.Engine
	server    *inprocess.Server
	relay     *relay.Relay // between the clients and the server; nil before open
	traffic   client.Traffic
	engine    client.Engine
	witness   *clienttest.Observer
	backend   *publisher // nil before publish
}

// Intervals are short where they cost the test its time; the hold outlasts it.
const (
	interval = 10 * time.Millisecond
	hold     = 25 * time.Second
)

// open opens a client through the relay and waits until it is subscribed.
func (s *stage) open(c int, change func(*client.Subscription), topics ...string) client.Session {
	s.Helper()
	if s.engine == nil {
		s.relay = relayed(s, s.server.Addr)
		s.witness = clienttest.NewObserver()
		s.engine = s.newEngine(s.config(s.relay.Addr, &s.traffic))
	}
	sub := client.Subscription{Client: c, Worker: c % s.engine.Workers(), Topics: topics, Delivery: string(scenarios.Every)}
	if change != nil {
		change(&sub)
	}
	session := s.engine.Open(sub, s.witness)
	s.Cleanup(session.Close)
	s.witness.Await(s, "subscribe-ack", func(told []clienttest.Call) bool { return len(clienttest.Batches(told, c)) > 0 })
	return session
}

func (s *stage) config(target string, traffic *client.Traffic) client.Config {
	return client.Config{Target: target, Transport: s.transport, Traffic: traffic, Interval: interval, Pacing: scenarios.FixedRate, PollTimeout: hold}
}

// A publisher stands beside the server.
type publisher struct {
	session client.Session
	witness *clienttest.Observer
	traffic client.Traffic
	sent    uint32
}

// publish publishes beside the server and returns the seq with which it was acknowledged.
func (s *stage) publish(topic, data string) uint64 {
	s.Helper()
	if s.backend == nil {
		p := &publisher{witness: clienttest.NewObserver()}
		p.session = s.newEngine(s.config(s.server.Addr, &p.traffic)).Open(client.Subscription{Client: -1, Publishes: true}, p.witness)
		s.Cleanup(p.session.Close)
		s.backend = p
	}
	s.backend.sent++
	s.backend.session.Publish(s.backend.sent, topic, []byte(data))
	return acknowledged(s.T, s.backend.witness, -1, s.backend.sent)
}

// acknowledged waits for the acknowledgement of a publication.
func acknowledged(t *testing.T, w *clienttest.Observer, c int, id uint32) uint64 {
	t.Helper()
	outcome := func(told []clienttest.Call) []client.Event {
		return slices.DeleteFunc(clienttest.Events(told, c, client.Acked, client.Failed, client.Dropped), func(e client.Event) bool { return e.ID != id })
	}
	w.Await(t, fmt.Sprintf("outcome of publication %d", id), func(told []clienttest.Call) bool { return len(outcome(told)) > 0 })
	e := outcome(w.All())[0]
	if e.Kind != client.Acked {
		t.Fatalf("publication %d, want it acknowledged:\n%s", id, clienttest.Format([]clienttest.Call{{Client: c, Event: e}}))
	}
	return e.Seq
}

// expect waits for as many messages as are wanted and compares all that came.
// A message is written topic#seq=data.
func (s *stage) expect(c int, want ...string) {
	s.Helper()
	got := func(told []clienttest.Call) (lines []string) {
		for _, m := range clienttest.Messages(told, c) {
			lines = append(lines, fmt.Sprintf("%s#%d=%s", m.Topic, m.Seq, m.Data))
		}
		return lines
	}
	s.witness.Await(s, fmt.Sprintf("%d messages", len(want)), func(told []clienttest.Call) bool { return len(got(told)) >= len(want) })
	if lines := got(s.witness.All()); !slices.Equal(lines, want) {
		s.Errorf("client %d got\n%s\nwant\n%s", c, brief(lines), brief(want))
	}
}

func brief(lines []string) string {
	var b strings.Builder
	for _, l := range lines {
		fmt.Fprintf(&b, "\t%.100q\n", l)
	}
	return b.String()
}

// expectGaps compares the gaps that a client was told.
func (s *stage) expectGaps(c int, want ...client.Gap) {
	s.Helper()
	if got := clienttest.Gaps(s.witness.All(), c); !slices.Equal(got, want) {
		s.Errorf("client %d was told the gaps %+v, want %+v", c, got, want)
	}
}

// away is done while the client is disconnected, and knows it.
func (s *stage) away(c int, do func()) {
	s.Helper()
	before := len(clienttest.Events(s.witness.All(), c, client.Disconnected))
	s.relay.Block()
	s.witness.Await(s, "disconnected event", func(told []clienttest.Call) bool {
		return len(clienttest.Events(told, c, client.Disconnected)) > before
	})
	do()
	s.relay.Unblock()
	s.witness.Await(s, "resumed connection", func(told []clienttest.Call) bool {
		return slices.ContainsFunc(clienttest.Events(told, c, client.Connected), func(e client.Event) bool { return e.Stages.Resume })
	})
}

func ackFirst(s *stage) {
	s.publish("a", "before")
	s.open(0, nil, "a")
	first := s.witness.All()
	ack := clienttest.Batches(first, 0)[0]
	if !ack.Ack || len(ack.Messages) != 0 || len(ack.Gaps) != 0 || len(ack.Cursor) == 0 {
		s.Errorf("the first batch is %+v, want an ack with a cursor and nothing else", ack)
	}
	checkStages(s, clienttest.Events(first, 0, client.Connecting, client.Connected))
	s.publish("a", "after")
	s.expect(0, "a#2=after")
}

func checkStages(s *stage, events []client.Event) {
	s.Helper()
	if len(events) != 2 || events[0].Kind != client.Connecting || events[1].Kind != client.Connected {
		s.Fatalf("events %+v, want connecting and connected", events)
	}
	st := events[1].Stages
	if st.TCP <= 0 || st.Response < st.TCP || st.Ready < st.Response || st.Resume {
		s.Errorf("stages %+v, want 0 < tcp ≤ answer ≤ ready, and no resume", st)
	}
	if st.Requests != 1 || st.BytesUp == 0 || st.BytesDown == 0 {
		s.Errorf("stages %+v, want one request and bytes both ways", st)
	}
}

func ownWay(s *stage) {
	publishes := func(sub *client.Subscription) { sub.Publishes = true }
	author := s.open(0, publishes, "a")
	s.open(1, nil, "a")
	for id := uint32(1); id <= 5; id++ {
		author.Publish(id, "a", []byte(fmt.Sprint("word ", id)))
		if seq := acknowledged(s.T, s.witness, 0, id); seq != uint64(id) {
			s.Errorf("publication %d got seq %d", id, seq)
		}
	}
	for c := range 2 {
		s.expect(c, "a#1=word 1", "a#2=word 2", "a#3=word 3", "a#4=word 4", "a#5=word 5")
	}
	if sent := clienttest.Events(s.witness.All(), 0, client.Sending); len(sent) != 5 {
		s.Errorf("%d publications told to be sent, want 5", len(sent))
	}
}

// A reporter has no topics, but a transport of its own and a distance.
func reporting(s *stage) {
	s.open(0, nil, "a")
	const c = 1
	reporter := s.engine.Open(client.Subscription{Client: c, Worker: c % s.engine.Workers(), Publishes: true, PublishOnly: true}, s.witness)
	s.Cleanup(reporter.Close)
	connected := func(n int) {
		s.Helper()
		s.witness.Await(s, "connected event", func(told []clienttest.Call) bool { return len(clienttest.Events(told, c, client.Connected)) >= n })
	}
	connected(1)
	for id := uint32(1); id <= 3; id++ {
		reporter.Publish(id, "a", []byte(fmt.Sprint("word ", id)))
		acknowledged(s.T, s.witness, c, id)
	}
	s.expect(0, "a#1=word 1", "a#2=word 2", "a#3=word 3")
	s.away(0, func() {
		s.witness.Await(s, "disconnected event of the reporter", func(told []clienttest.Call) bool { return len(clienttest.Events(told, c, client.Disconnected)) > 0 })
		s.publish("a", "meanwhile") // a poll that resumes is held until there is something
	})
	if s.transport == transports.WebSocket { // the others connect when there is something to say
		connected(2)
	}
	reporter.Publish(4, "a", []byte("word 4"))
	acknowledged(s.T, s.witness, c, 4)
	s.expect(0, "a#1=word 1", "a#2=word 2", "a#3=word 3", "a#4=meanwhile", "a#5=word 4")
	if got := clienttest.Messages(s.witness.All(), c); len(got) != 0 {
		s.Errorf("the reporter was delivered %d messages", len(got))
	}
}

// A feed gives a few publications.
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

func feeding(s *stage) {
	author := s.open(0, func(sub *client.Subscription) { sub.Publishes = true }, "a")
	f := &feed{ended: make(chan struct{})}
	begin := clock.Now()
	var due []clock.Instant
	var want []string
	// Long ago, at once, three at one instant, and beyond the time after which a feed is asked again.
	for id, offset := range []time.Duration{-1000, 0, 5, 5, 5, 30, 130} {
		due = append(due, begin.Add(offset*time.Millisecond))
		f.publications = append(f.publications, client.Publication{Session: author, ID: uint32(id), Topic: "a", Payload: []byte(fmt.Sprint(id))})
		want = append(want, fmt.Sprintf("a#%d=%d", id+1, id))
	}
	f.due = slices.Clone(due)
	s.engine.Pace(0, f)
	<-f.ended
	s.expect(0, want...)
	for _, one := range s.witness.All() {
		if one.Batch == nil && one.Event.Kind == client.Sending && one.At < due[one.Event.ID] {
			s.Errorf("publication %d was sent %v before it was due", one.Event.ID, due[one.Event.ID].Sub(one.At))
		}
	}
}

// awkward payloads try every escape, every framing and every length field.
var awkward = []string{
	"", " ", "plain", `"`, `\`, `\u0041`, `{"cursor":"x","messages":[]}`, "</script>", "a\nb", "a\r\nb", "\n\n", "\r\n\r\n",
	"data: x\n\nid: 1\n\n", "0\r\n\r\n", "\x00\x01\x1f\x7f", "\u2028\u2029\ufeff", "é😀\U0010ffff", strings.Repeat("\x01", 200),
	strings.Repeat("x", 125), strings.Repeat("x", 126), strings.Repeat("x", 65535), strings.Repeat("x", 65536),
	strings.Repeat(`"`, 65536), strings.Repeat("😀", 16384),
}

func sameBytes(s *stage) {
	author := s.open(0, func(sub *client.Subscription) { sub.Publishes = true }, "a", "b")
	var want []string
	for i, data := range awkward {
		want = append(want, fmt.Sprintf("a#%d=%s", i+1, data), fmt.Sprintf("b#%d=%s", i+1, data))
		s.publish("a", data)
		author.Publish(uint32(i), "b", []byte(data))
		acknowledged(s.T, s.witness, 0, uint32(i))
	}
	s.expect(0, want...)
}

func manyTopics(s *stage) {
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

// Each message is published as soon as the one before has come: of a long poll
// that is in the gap between the answer and the next poll.
func betweenPolls(s *stage) {
	s.open(0, nil, "a")
	var want []string
	for i := range 100 {
		s.publish("a", fmt.Sprint(i))
		want = append(want, fmt.Sprintf("a#%d=%d", i+1, i))
		if i%3 == 0 {
			continue // and sometimes two or three come at once
		}
		s.witness.Await(s, "last message", func(told []clienttest.Call) bool { return len(clienttest.Messages(told, 0)) > i })
	}
	s.expect(0, want...)
	s.expectGaps(0)
}

func beforeFirst(s *stage) {
	s.open(0, nil, "a")
	s.away(0, func() { s.publish("a", "while away") })
	s.expect(0, "a#1=while away")
	s.expectGaps(0)
}

func insideRing(s *stage) {
	s.open(0, nil, "a", "b")
	s.publish("a", "1")
	s.publish("b", "2")
	s.expect(0, "a#1=1", "b#1=2")
	s.away(0, func() {
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

func beyondRing(s *stage) {
	const ring = 4
	s.server.Restart(ring)
	s.open(0, nil, "a", "b")
	s.publish("a", "1")
	s.publish("a", "2")
	s.expect(0, "a#1=1", "a#2=2")
	s.away(0, func() {
		for i := 3; i <= 12; i++ {
			s.publish("a", fmt.Sprint(i))
		}
		s.publish("b", "x") // has lost nothing
	})
	s.expect(0, "a#1=1", "a#2=2", "a#9=9", "a#10=10", "a#11=11", "a#12=12", "b#1=x")
	s.expectGaps(0, client.Gap{Topic: "a", From: 3, To: 8})
}

func otherEpoch(s *stage) {
	s.open(0, nil, "a")
	s.publish("a", "old")
	s.expect(0, "a#1=old")
	s.away(0, func() {
		s.server.Restart(0)
		s.publishAfterRestart("a", "new")
	})
	s.expect(0, "a#1=old", "a#1=new")
	s.expectGaps(0, client.Gap{Topic: "a", From: 1, EpochChanged: true})
}

// publishAfterRestart publishes from a publisher that never knew the old server.
func (s *stage) publishAfterRestart(topic, data string) {
	s.Helper()
	if s.backend != nil {
		s.backend.session.Close()
		s.backend = nil
	}
	s.publish(topic, data)
}

func latest(s *stage) {
	s.open(0, func(sub *client.Subscription) { sub.Delivery = string(scenarios.Latest) }, "a", "b")
	s.away(0, func() {
		for i := range 5 {
			s.publish("a", fmt.Sprint(i))
		}
		s.publish("b", "only")
	})
	s.expect(0, "a#5=4", "b#1=only")
	s.expectGaps(0)
}

// partings are what a transport's client says of a server that stopped in good order.
func partings(t transports.Transport) []string {
	switch {
	case t.Upgrades:
		return []string{"WebSocket closed by server with code 1001"}
	case t.Streams:
		return []string{"connection closed by server"}
	default:
		return []string{"connection refused", "connection closed by server", "connection reset"}
	}
}

// polledAgain waits until the server has read the poll after the first answer. It is not
// enough that the poll has arrived: a server that stops closes a connection on which it has
// read nothing since its last answer.
func (s *stage) polledAgain() {
	s.Helper()
	s.agree("the first answer is there", func() string {
		if s.server.Service.Stats().Requests["poll"] < 2 {
			return "the client does not poll again"
		}
		return ""
	})
}

func gracefulStop(s *stage) {
	s.open(0, nil, "a")
	if s.transport == transports.LongPoll {
		s.polledAgain() // a poll that is not there cannot be answered
	}
	s.publish("a", "last word")
	s.server.Stop()
	s.witness.Await(s, "disconnected event", func(told []clienttest.Call) bool { return len(clienttest.Events(told, 0, client.Disconnected)) > 0 })
	if s.transport != transports.ShortPoll { // which asks again only when its time has come
		s.expect(0, "a#1=last word")
	}
	first := clienttest.Events(s.witness.All(), 0, client.Disconnected)[0]
	if wanted := partings(transports.Of(s.transport)); !slices.Contains(wanted, first.Cause) {
		s.Errorf("disconnected because of %q, want one of %q", first.Cause, wanted)
	}
	s.server.Restart(0)
	s.witness.Await(s, "new epoch", func(told []clienttest.Call) bool { return len(clienttest.Gaps(told, 0)) > 0 })
}

func exactCounts(s *stage) {
	author := s.open(0, func(sub *client.Subscription) { sub.Publishes = true }, "a", "b")
	s.open(1, nil, "a")
	say := func(from, to uint32) {
		for id := from; id < to; id++ {
			author.Publish(id, "a", []byte(awkward[id]))
			acknowledged(s.T, s.witness, 0, id)
		}
		for c := range 2 {
			s.witness.Await(s, "every message", func(told []clienttest.Call) bool { return len(clienttest.Messages(told, c)) >= int(to) })
		}
	}
	say(0, 6)
	s.compare("in the first connections")
	s.away(0, func() { s.publish("a", "while away") }) // a long poll knows that it is back when it is answered
	s.witness.Await(s, "client 1 back", func(told []clienttest.Call) bool { return len(clienttest.Events(told, 1, client.Connected)) > 1 })
	say(7, uint32(len(awkward)))
	s.compare("after a reconnect")
}

// compare waits until what the clients counted is what the relay saw, to the
// byte: what is on its way may differ for a moment, a miscount differs for ever.
func (s *stage) compare(when string) { s.Helper(); s.agree(when, s.difference) }

// agree waits until there is no difference.
func (s *stage) agree(when string, differs func() string) {
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

func (s *stage) difference() string {
	up, down := s.relay.Bytes()
	requests, accepted := s.relay.Requests(), s.relay.Accepted()
	w := s.traffic.Snapshot()
	if s.server.Secured != nil { // no relay can read what crosses
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

func silence(s *stage) {
	session := s.open(0, func(sub *client.Subscription) { sub.Publishes = true }, "a")
	s.open(1, nil, "a")
	session.Close()
	before := len(clienttest.Batches(s.witness.All(), 0)) + len(clienttest.Events(s.witness.All(), 0, client.Disconnected, client.Polled))
	s.publish("a", "to the other")
	s.expect(1, "a#1=to the other")
	session.Publish(1, "a", []byte("too late"))
	if lost := clienttest.Events(s.witness.All(), 0, client.Dropped); len(lost) != 1 || lost[0].Cause != client.CauseClosed {
		s.Errorf("publishing in a closed session told %+v, want dropped: %s", lost, client.CauseClosed)
	}
	after := len(clienttest.Batches(s.witness.All(), 0)) + len(clienttest.Events(s.witness.All(), 0, client.Disconnected, client.Polled))
	if after != before {
		s.Errorf("%d more calls of the sink after Close:\n%s", after-before, clienttest.Format(s.witness.All()))
	}
}

// allUnderstood is what exactCounts is where the server dials.
func allUnderstood(s *stage) {
	author := s.open(0, func(sub *client.Subscription) { sub.Publishes = true }, "a", "b")
	s.open(1, nil, "b")
	for i, data := range awkward {
		author.Publish(uint32(i), "b", []byte(data))
		acknowledged(s.T, s.witness, 0, uint32(i))
	}
	for c := range 2 {
		s.witness.Await(s, "all messages", func(told []clienttest.Call) bool { return len(clienttest.Messages(told, c)) == len(awkward) })
	}
	s.agree("at the end", func() string {
		w := s.traffic.Snapshot()
		for way, d := range map[string]results.Direction{"up": w.Up, "down": w.Down} {
			if parts := d.Payload + d.Envelope + d.Framing + d.Headers; d.Bytes == 0 || parts != d.Bytes {
				return fmt.Sprintf("%s: of %d bytes %d are in a part: %+v", way, d.Bytes, parts, d)
			}
		}
		if w.Dials != 3 || w.Requests != 2+int64(len(awkward)) || w.Polls != 0 || w.Reconnects != 0 {
			return fmt.Sprintf("3 connections, a registration each and %d publications were made: %+v", len(awkward), w)
		}
		return ""
	})
}

package record

import (
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"pushbench/bench/client"
	"pushbench/bench/clock"
	"pushbench/bench/payload"
	"pushbench/results"
	"pushbench/scenarios"
)

// A Recorder is the sink of one worker. It keeps the ledgers of the worker's clients and the
// histograms of their latencies and ages.
type Recorder struct {
	book   *Book
	unique atomic.Int64 // account.Delivered, for readers that must not wait for mu

	mu        sync.Mutex // guards the fields below
	ledgers   map[int]*ledger
	account   results.Ledger
	latency   results.Histogram // of all intervals taken
	interval  results.Interval
	cycles    int64 // responses with at least one message that counts
	delivered int64 // messages received since the start of the trial, with any due instant

	ages      ages
	uncovered time.Duration // subscription time in the window: see results.AgeOfInformation
	never     time.Duration

	connected map[int]bool
	connect   results.Connect
	requests  int64 // of all clients, until ready
	lastReady clock.Instant
	broken    map[string]int64 // lost connections, by cause
}

// NewRecorder returns the recorder of the given clients. A worker that only publishes has no
// clients.
func NewRecorder(book *Book, clients []int) *Recorder {
	r := &Recorder{
		book:      book,
		ages:      newAges(),
		ledgers:   make(map[int]*ledger, len(clients)),
		connected: make(map[int]bool, len(clients)),
		broken:    map[string]int64{},
		connect:   results.Connect{Stages: map[string]results.Histogram{}, FailedBy: map[string]int64{}},
	}
	r.account.LostBy = map[string]int64{}
	for _, c := range clients {
		r.ledgers[c] = newLedger(book.plan, c)
	}
	return r
}

// Deliver records a batch.
func (r *Recorder) Deliver(c int, batch *client.Batch, at clock.Instant) {
	r.mu.Lock()
	defer r.mu.Unlock()
	l := r.ledgers[c]
	if l == nil {
		r.account.Received += int64(len(batch.Messages))
		r.account.Unexpected += int64(len(batch.Messages))
		return
	}
	for _, g := range batch.Gaps {
		r.declare(l, g, at)
	}
	before := r.interval.Counted
	for i := range batch.Messages {
		r.message(l, &batch.Messages[i], at)
	}
	if r.interval.Counted > before {
		r.cycles++
		r.unique.Store(r.account.Delivered)
	}
}

// message records one message.
func (r *Recorder) message(l *ledger, m *client.Message, at clock.Instant) {
	r.delivered++
	r.interval.Delivered++
	index, slot, ok := r.identify(l, m)
	if ok && !r.book.claim(index, m.Seq) {
		r.account.Corrupt++
		ok = false
	}
	counts := !ok || r.book.Counts(index)
	if counts {
		r.account.Received++ // before the message is classified: the sum of the classes must equal it
	}
	if !ok {
		r.account.Unexpected++
		return
	}
	if !l.mark(slot, r.book.plan.Ordinal[index]) {
		if counts {
			r.account.Duplicates++
		}
		return
	}
	r.renew(l, slot, int32(index), at)
	overtaken := l.overtaken(r.book.plan, slot, int32(index))
	if !counts {
		return
	}
	if overtaken {
		r.account.Reordered++
	}
	r.account.Delivered++
	r.interval.Counted++
	r.interval.Latency.Record(r.book.since(index, at))
}

// identify returns the index of the planned message, if it belongs to this run and to a topic of
// the client.
func (r *Recorder) identify(l *ledger, m *client.Message) (index uint32, slot int, ok bool) {
	run, index, err := payload.Parse(m.Data)
	if err != nil {
		r.account.Corrupt++
		return 0, 0, false
	}
	plan := r.book.plan
	if run != r.book.run || int(index) >= len(plan.Messages) {
		return 0, 0, false
	}
	topic := plan.Messages[index].Topic
	slot, ok = l.slot(topic)
	// A target's message has no topic that the client knows: its payload identifies it.
	return index, slot, ok && (m.Topic == nil || string(m.Topic) == plan.Topics[topic])
}

// declare records a gap. One that cannot be true counts as a corrupt message: beyond what was published on the
// topic so far, it would excuse losses in advance.
func (r *Recorder) declare(l *ledger, g client.Gap, at clock.Instant) {
	slot := slices.IndexFunc(l.topics, func(topic int32) bool { return r.book.plan.Topics[topic] == g.Topic })
	ok := slot >= 0
	switch {
	case !ok:
	case g.EpochChanged:
		ok = l.endEpoch(epoch{slot, at})
	default:
		ok = g.From <= g.To && g.To <= r.book.issued[l.topics[slot]].Load() && l.declare(gap{slot, g.From, g.To, at})
	}
	if !ok {
		r.account.Received++
		r.account.Unexpected++
		r.account.Corrupt++
	}
}

// Event records publications and connections.
func (r *Recorder) Event(c int, e client.Event, at clock.Instant) {
	switch e.Kind {
	case client.Sending:
		r.book.sending(e.ID, e.Waited, at)
	case client.Acked:
		if !r.book.assigned(e.ID, e.Seq) {
			r.book.refused(e.ID, failed, causeNeverAssigned)
			return
		}
		r.book.acknowledged(e.ID, e.Seq, at)
		r.mu.Lock()
		r.interval.Published++
		r.mu.Unlock()
	case client.Failed:
		r.book.refused(e.ID, failed, e.Cause)
	case client.Dropped:
		r.book.refused(e.ID, dropped, e.Cause)
	case client.Connected:
		r.ready(c, e.Stages, at)
	case client.Disconnected:
		r.lostConnection(c, e.Cause)
	}
}

// ready records a client's first connection. The statistics of connecting exclude reconnects.
func (r *Recorder) ready(c int, stages client.Stages, at clock.Instant) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.connected[c] {
		return
	}
	r.connected[c] = true
	if l := r.ledgers[c]; l == nil || len(l.topics) == 0 { // a publish-only client
		return
	}
	r.connect.Clients++
	r.connect.BytesUp += stages.BytesUp
	r.connect.BytesDown += stages.BytesDown
	r.requests += int64(stages.Requests)
	if stages.TLS > 0 {
		r.requests++ // TLS 1.3 takes one round trip as well (RFC 8446, section 2)
	}
	r.lastReady = max(r.lastReady, at)
	for name, d := range map[string]time.Duration{"tcp": stages.TCP, "tls": stages.TLS, "response": stages.Response, "ready": stages.Ready} {
		if name == "tls" && d == 0 {
			continue // no TLS handshake
		}
		h := r.connect.Stages[name]
		h.Record(d)
		r.connect.Stages[name] = h
	}
}

func (r *Recorder) lostConnection(c int, cause string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	Count(r.broken, cause)
	if !r.connected[c] {
		Count(r.connect.FailedBy, cause)
	}
}

// Ready is the number of sessions that have connected at least once.
func (r *Recorder) Ready() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.connected)
}

// Connect returns the statistics of connecting, and when the last client was ready.
func (r *Recorder) Connect() (results.Connect, clock.Instant) {
	r.mu.Lock()
	defer r.mu.Unlock()
	c := r.connect
	c.Stages, c.FailedBy = maps.Clone(c.Stages), maps.Clone(c.FailedBy)
	if c.Clients > 0 {
		c.RoundTrips = 1 + float64(r.requests)/float64(c.Clients) // one for TCP, one per request, and one for TLS
	}
	return c, r.lastReady
}

// Broken returns the number of connections that the load generator did not close itself, by cause.
func (r *Recorder) Broken() map[string]int64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return maps.Clone(r.broken)
}

// Delivered is the number of messages received so far, with any due instant.
func (r *Recorder) Delivered() int64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.delivered
}

// Unique is the number of (message, client) pairs of the window that were delivered so far. It does
// not block: a sampler of the number in flight would otherwise be delayed when that number is high,
// and underestimate it.
func (r *Recorder) Unique() int64 { return r.unique.Load() }

// Missing is the sum of the times from due to until, over all expected pairs that were not
// delivered.
func (r *Recorder) Missing(until clock.Instant) (sum time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, l := range r.ledgers {
		for slot, topic := range l.topics {
			for ordinal, index := range r.book.plan.OnTopic[topic] {
				if r.book.Counts(uint32(index)) && !l.has(slot, int32(ordinal)) {
					sum += max(0, until.Sub(r.book.due(index)))
				}
			}
		}
	}
	return sum
}

// Take returns the interval since the last Take. Only its counts and latency are set.
func (r *Recorder) Take() results.Interval {
	r.mu.Lock()
	defer r.mu.Unlock()
	taken := r.interval
	r.latency.Merge(taken.Latency)
	r.interval = results.Interval{}
	return taken
}

// Settled reports whether no further expected message can arrive: every message that was sent and
// is in no declared gap was delivered. If clients require only the latest message, this applies to
// the last message of every topic.
func (r *Recorder) Settled() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, l := range r.ledgers {
		for slot, topic := range l.topics {
			if !r.settled(l, slot, topic) {
				return false
			}
		}
	}
	return true
}

func (r *Recorder) settled(l *ledger, slot int, topic int32) bool {
	indexes := r.book.plan.OnTopic[topic]
	for ordinal := len(indexes) - 1; ordinal >= 0; ordinal-- {
		index := indexes[ordinal]
		if !r.book.Counts(uint32(index)) {
			continue
		}
		if !l.has(slot, int32(ordinal)) {
			if r.book.unsent(index) || r.declared(l, slot, index) {
				continue
			}
			return false
		}
		if r.book.delivery == scenarios.Latest {
			return true
		}
	}
	return true
}

// Close completes the account: each expected message that was not delivered becomes superseded,
// declared gap or lost. Nothing may be delivered after Close.
func (r *Recorder) Close() (results.Ledger, results.Latency) {
	r.Take()
	r.mu.Lock()
	defer r.mu.Unlock()
	a := r.account
	a.LostBy = map[string]int64{}
	for c, l := range r.ledgers {
		for slot, topic := range l.topics {
			r.settle(&a, c, l, slot, topic)
		}
	}
	latency := results.Latency{Histogram: r.latency, Infinite: a.Lost + a.DeclaredGap, Independent: r.cycles}
	if !r.book.polling {
		latency.Independent = 0 // the number of publishes, which is the same for all recorders: see generator.MergeOutcomes
	}
	return a, latency
}

// declared reports whether a declared gap covers a message.
func (r *Recorder) declared(l *ledger, slot int, index int32) bool {
	return l.declared(slot, r.book.seq[index].Load(), r.book.due(index))
}

func (r *Recorder) settle(a *results.Ledger, c int, l *ledger, slot int, topic int32) {
	newest := r.newestOfEpochs(l, slot, topic)
	for ordinal, index := range r.book.plan.OnTopic[topic] {
		if !r.book.Counts(uint32(index)) {
			continue
		}
		a.Expected++
		if l.has(slot, int32(ordinal)) {
			continue
		}
		n, _ := l.epochOf(slot, r.book.due(index))
		seq := r.book.seq[index].Load()
		switch {
		case seq != 0 && seq < newest[n]:
			a.Superseded++
		case r.declared(l, slot, index):
			a.DeclaredGap++
		case !r.connected[c]:
			a.Lost++
			a.LostBy["never subscribed"]++
		default:
			a.Lost++
			a.LostBy[r.book.lostBecause(index)]++
		}
	}
}

// newestOfEpochs returns, per epoch of a topic, the largest seq of the messages that the client received; only that
// supersedes others. What a server acknowledged counts, not what it delivered a message as: else one message under a
// high number would hide every loss. All are 0 if clients require every message.
func (r *Recorder) newestOfEpochs(l *ledger, slot int, topic int32) []uint64 {
	newest := make([]uint64, len(l.epochs)+1)
	if r.book.delivery != scenarios.Latest {
		return newest
	}
	for ordinal, index := range r.book.plan.OnTopic[topic] {
		if l.has(slot, int32(ordinal)) {
			n, _ := l.epochOf(slot, r.book.due(index))
			newest[n] = max(newest[n], r.book.seqOf(index))
		}
	}
	return newest
}

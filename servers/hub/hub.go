// Package hub contains the message logs from which every transport's server reads: one append-only
// ring per topic, read by cursor.
//
// It owns the hub numbers and seqs of messages, the retained messages, the exact gaps where messages
// are no longer retained, and the goroutines that wake subscriptions. It must not depend on a
// transport, store anything per slow reader, or wait for a subscriber.
package hub

import (
	"cmp"
	"errors"
	"math/rand/v2"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"time"
	"weak"
)

// ErrFull reports that a topic would exceed Options.MaxTopics, or a message Options.MaxBytes.
var ErrFull = errors.New("the hub is full")

// ErrAhead reports that a cursor of this epoch is beyond the hub's newest message: its client claims
// to have read messages that this hub has not published.
var ErrAhead = errors.New("cursor is ahead of the log")

// Options configures a hub. The zero value is valid.
type Options struct {
	RingMessages  int              `json:"ring_messages"`   // maximum messages kept per topic; default 1024
	RingBytes     int              `json:"ring_bytes"`      // maximum encoded bytes kept per topic; the newest message is kept whatever its size; default 1 MiB
	MaxTopics     int              `json:"max_topics"`      // maximum number of topics; default 100,000
	MaxBatchBytes int              `json:"max_batch_bytes"` // maximum encoded bytes of messages per read; the first is returned whatever its size; default 256 KiB
	MaxBytes      int              `json:"-"`               // maximum bytes of the messages of all topics; default 512 MiB
	IdleAfter     time.Duration    `json:"-"`               // for how long at least a topic without subscriptions keeps its messages; default 1 minute
	Panicked      func(Waker, any) `json:"-"`               // called after a waker has panicked, with what it panicked with; default: the process ends
	BatchingDelay time.Duration    `json:"-"`               // delay between a topic's first new message and the wakes, so that later messages share the write; default 0
	Shards        int              `json:"-"`               // number of goroutines that call wakers; default GOMAXPROCS
}

func (o Options) withDefaults() Options {
	o.RingMessages = cmp.Or(max(o.RingMessages, 0), 1024)
	o.RingBytes = cmp.Or(max(o.RingBytes, 0), 1<<20)
	o.MaxTopics = cmp.Or(max(o.MaxTopics, 0), 100_000)
	o.MaxBatchBytes = cmp.Or(max(o.MaxBatchBytes, 0), 256<<10)
	o.MaxBytes = cmp.Or(max(o.MaxBytes, 0), 512<<20)
	o.IdleAfter = cmp.Or(max(o.IdleAfter, 0), time.Minute)
	o.Shards = cmp.Or(max(o.Shards, 0), runtime.GOMAXPROCS(0))
	return o
}

// A Hub holds the logs of all topics. All methods may be called concurrently.
type Hub struct {
	options Options
	epoch   uint64
	newest  atomic.Uint64 // hub number of the newest message; written under mu
	shards  []*shard
	sets    interner

	// mu orders publications: while it is held, logs and hub numbers are consistent.
	mu        sync.RWMutex
	topics    map[string]*topic
	bytes     int       // sum of the topics' log.memory
	period    uint32    // number of sweeps so far
	full      bool      // since the last sweep, a topic was refused because of MaxTopics
	vacant    time.Time // before which removeVacantLocked does nothing
	forgotten uint64    // hub number when the last topic that had messages was removed; 0: none was

	sweeping sync.Mutex // held by a sweep, and guards sweeper
	sweeper  *time.Timer
}

// New starts a hub with a random epoch. Close ends its goroutines.
func New(o Options) *Hub {
	o = o.withDefaults()
	h := &Hub{options: o, epoch: rand.Uint64(), topics: make(map[string]*topic)}
	h.sets.sets = make(map[string]weak.Pointer[TopicSet])
	for range o.Shards {
		h.shards = append(h.shards, startShard(o.BatchingDelay, o.Panicked))
	}
	h.startSweeping()
	return h
}

// Close stops the sweeps and the shards, and waits for them. Reading and publishing continue to work; no subscription
// is woken afterwards.
func (h *Hub) Close() {
	h.stopSweeping()
	for _, s := range h.shards {
		s.stop()
	}
}

// Epoch returns the random number that distinguishes this hub's cursors from any other's.
func (h *Hub) Epoch() uint64 { return h.epoch }

// Options returns the options in force, defaults resolved.
func (h *Hub) Options() Options { return h.options }

// Published returns the number of Append and Publish calls that succeeded, which is also the newest
// hub number.
func (h *Hub) Published() uint64 { return h.newest.Load() }

// Publish appends data, which must be valid UTF-8, to a topic, creating it
// if needed, and returns the message's seq. It returns when readers can see
// the message; it keeps no reference to data. The only error is ErrFull.
func (h *Hub) Publish(name string, data []byte) (seq uint64, err error) {
	return h.Append(name, func(seq uint64) []byte { return Encode(name, seq, data) })
}

// Append publishes the result of encode, which it calls under the hub's lock with the topic's next
// seq. The result must be a message encoded by Encode, several of them separated by commas, or nil:
// then the seq is used, but readers receive no message.
func (h *Hub) Append(name string, encode func(seq uint64) []byte) (seq uint64, err error) {
	h.mu.Lock()
	t, err := h.topicLocked(name)
	if err != nil {
		h.mu.Unlock()
		return 0, err
	}
	seq = t.log.last() + 1
	object := encode(seq)
	if !h.makeRoom(t, len(object)) {
		h.removeUnusedLocked(t)
		h.mu.Unlock()
		return 0, ErrFull
	}
	number := h.newest.Load() + 1
	before := t.log.memory()
	t.log.append(number, object)
	h.bytes += t.log.memory() - before
	t.period = h.period
	h.newest.Store(number)
	t.newest.Store(number) // after h.newest: a reader that loads it must not get ErrAhead
	h.mu.Unlock()
	t.markDirty(h.shards)
	return seq, nil
}

// makeRoom drops the topic's oldest messages until n bytes more are within MaxBytes, and returns false if all of
// them would not suffice.
func (h *Hub) makeRoom(t *topic, n int) bool {
	excess := h.bytes + n - h.options.MaxBytes
	if excess > t.log.bytes {
		return false
	}
	for excess > 0 && t.log.ring.len() > 0 {
		dropped := t.log.drop()
		h.bytes -= dropped
		excess -= dropped
	}
	return true
}

// topicLocked returns the topic of that name, creating it if needed.
func (h *Hub) topicLocked(name string) (*topic, error) {
	if t := h.topics[name]; t != nil {
		return t, nil
	}
	if !h.roomForLocked([]string{name}) {
		return nil, ErrFull
	}
	return h.createLocked(name), nil
}

// createLocked creates a topic.
func (h *Hub) createLocked(name string) *topic {
	name = strings.Clone(name) // it may be in the caller's buffer
	t := &topic{
		name: name, log: newLog(h.options.RingMessages, h.options.RingBytes),
		follow: make([]followers, h.options.Shards), created: h.newest.Load(),
	}
	h.topics[name] = t
	return t
}

// Package hub is the message log that every edge serves from: one append-only
// ring per topic, read by cursor.
//
// It owns the numbering of messages, what is kept of them, the exact gaps of
// what is not, and the goroutines that tell subscriptions there is more. It
// must never know a transport, never hold anything per slow reader, and never
// wait for a subscriber.
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

// ErrTooManyTopics says that a topic would have to be created beyond Options.MaxTopics.
var ErrTooManyTopics = errors.New("too many topics")

// ErrAhead says that a cursor of this epoch is beyond the log: its holder read
// something this hub has never had.
var ErrAhead = errors.New("cursor is ahead of the log")

// Options sets a hub up. The zero value works.
type Options struct {
	RingMessages  int           `json:"ring_messages"`   // messages kept per topic; default 1024
	RingBytes     int           `json:"ring_bytes"`      // encoded bytes kept per topic, but always the newest message; default 1 MiB
	MaxTopics     int           `json:"max_topics"`      // topics in all; default 100,000
	MaxBatchBytes int           `json:"max_batch_bytes"` // encoded bytes of messages one read returns, but always one message; default 256 KiB
	BatchingDelay time.Duration `json:"-"`               // how long news of a topic may be held so that more go in one write; default 0: never
	Shards        int           `json:"-"`               // goroutines that call wakers; default GOMAXPROCS
}

func (o Options) withDefaults() Options {
	o.RingMessages = cmp.Or(max(o.RingMessages, 0), 1024)
	o.RingBytes = cmp.Or(max(o.RingBytes, 0), 1<<20)
	o.MaxTopics = cmp.Or(max(o.MaxTopics, 0), 100_000)
	o.MaxBatchBytes = cmp.Or(max(o.MaxBatchBytes, 0), 256<<10)
	o.Shards = cmp.Or(max(o.Shards, 0), runtime.GOMAXPROCS(0))
	return o
}

// A Hub is the log. All methods may be called concurrently.
type Hub struct {
	options Options
	epoch   uint64
	head    atomic.Uint64 // the newest number; written under mu
	shards  []*shard
	sets    interner

	// mu orders publications: whoever holds it sees topics and numbers agree.
	mu     sync.RWMutex
	topics map[string]*topic
}

// New starts a hub with an epoch of its own. Close ends its goroutines.
func New(o Options) *Hub {
	o = o.withDefaults()
	h := &Hub{options: o, epoch: rand.Uint64(), topics: make(map[string]*topic)}
	h.sets.sets = make(map[string]weak.Pointer[TopicSet])
	for range o.Shards {
		h.shards = append(h.shards, startShard(o.BatchingDelay))
	}
	return h
}

// Close ends the notifying goroutines and waits for them. Reading and
// publishing go on working; nobody is woken any more.
func (h *Hub) Close() {
	for _, s := range h.shards {
		s.stop()
	}
}

// Epoch is the random number that tells this hub's cursors from any other's.
func (h *Hub) Epoch() uint64 { return h.epoch }

// Options are the options in force, defaults resolved.
func (h *Hub) Options() Options { return h.options }

// Published counts the messages that got a number.
func (h *Hub) Published() uint64 { return h.head.Load() }

// Publish appends data, which must be valid UTF-8, to a topic, creating it
// where needed, and returns the message's seq. It returns when readers can see
// the message; it keeps no reference to data. The only error is ErrTooManyTopics.
func (h *Hub) Publish(name string, data []byte) (seq uint64, err error) {
	return h.Append(name, func(seq uint64) []byte { return Encode(name, seq, data) })
}

// Append is Publish of what encode, called under the hub's lock, returns for the topic's
// next seq: a message as Encode has it, several with commas between them, or nil, for a seq
// under which there is nothing to read.
func (h *Hub) Append(name string, encode func(seq uint64) []byte) (seq uint64, err error) {
	h.mu.Lock()
	t, err := h.topicLocked(name)
	if err != nil {
		h.mu.Unlock()
		return 0, err
	}
	seq = t.log.last() + 1
	number := h.head.Load() + 1
	t.log.append(number, encode(seq))
	h.head.Store(number)
	t.newest.Store(number) // after head: a reader that sees it must not be called ahead
	h.mu.Unlock()
	t.markDirty(h.shards)
	return seq, nil
}

// topicLocked returns the topic of that name, creating it where needed.
func (h *Hub) topicLocked(name string) (*topic, error) {
	if t := h.topics[name]; t != nil {
		return t, nil
	}
	if len(h.topics) >= h.options.MaxTopics {
		return nil, ErrTooManyTopics
	}
	name = strings.Clone(name) // it may lie in a buffer of the caller's
	t := &topic{name: name, log: newLog(h.options.RingMessages, h.options.RingBytes), follow: make([]followers, h.options.Shards)}
	h.topics[name] = t
	return t, nil
}

package wire

import (
	"sync"

	"pushbench/servers/hub"
)

// Bounds of a Cache: number of entries, and bytes of their batches.
const (
	cacheEntries = 1024
	cacheBytes   = 8 << 20
	topicBytes   = 256 // that a topic of an entry counts: an entry keeps its topics in the hub
)

// A Batch has the messages and gaps after a cursor, framed for a transport. F is the frame, which
// the transport can write without further work.
type Batch[F any] struct {
	Frame    F
	Next     hub.Cursor
	Messages int
	Gaps     int
	bytes    int
}

// Empty reports whether there is nothing to send.
func (b *Batch[F]) Empty() bool { return b.Messages == 0 && b.Gaps == 0 }

// A Cache reads and frames each batch once for all subscribers of the same
// topics with the same cursor. Every transport uses it, otherwise a
// comparison would measure which transports encode only once.
type Cache[F any] struct {
	hub   *hub.Hub
	frame func(body []byte, next hub.Cursor) F

	mu          sync.Mutex
	newestKey   batchKey // of the last request: a fan-out requests the same batch repeatedly
	newestBatch *Batch[F]
	batches     map[batchKey]*Batch[F]
	order       []batchKey // oldest first
	bytes       int
}

type batchKey struct {
	set      *hub.TopicSet
	after    hub.Cursor
	to       uint64 // the newest number of the set; the messages in between never change
	delivery hub.Delivery
}

// NewCache makes a cache in front of a hub; frame converts the JSON of a batch to a frame.
func NewCache[F any](h *hub.Hub, frame func(body []byte, next hub.Cursor) F) *Cache[F] {
	return &Cache[F]{hub: h, frame: frame, batches: make(map[batchKey]*Batch[F])}
}

// Since returns the set's batch beyond a cursor, nil if there is none. A batch that
// is Empty has no frame, only the next cursor. The error is hub.ErrAhead.
func (c *Cache[F]) Since(after hub.Cursor, set *hub.TopicSet, d hub.Delivery) (*Batch[F], error) {
	to := c.hub.Newest(set)
	if after.Epoch == c.hub.Epoch() && to <= after.Number {
		return nil, nil
	}
	key := batchKey{set: set, after: after, to: to, delivery: d}
	c.mu.Lock() // held while encoding, so that requests for the same batch wait for it
	defer c.mu.Unlock()
	if c.newestBatch != nil && c.newestKey == key {
		return c.newestBatch, nil
	}
	b := c.batches[key]
	if b == nil {
		read, err := c.hub.Since(after, set, d)
		if err != nil {
			return nil, err
		}
		b = c.encode(&read)
		b.bytes += topicBytes * set.Len()
		key.to = max(to, read.Next.Number) // more messages may have been published since Head
		c.keep(key, b)
	}
	c.newestKey, c.newestBatch = key, b
	return b, nil
}

func (c *Cache[F]) encode(r *hub.Read) *Batch[F] {
	b := &Batch[F]{Next: r.Next, Messages: len(r.Messages), Gaps: len(r.Gaps)}
	if !b.Empty() {
		body := encode(r)
		b.bytes = len(body)
		b.Frame = c.frame(body, r.Next)
	}
	return b
}

// keep stores a batch and drops the oldest beyond the bounds.
func (c *Cache[F]) keep(key batchKey, b *Batch[F]) {
	if _, found := c.batches[key]; found {
		return
	}
	c.batches[key] = b
	c.order = append(c.order, key)
	c.bytes += b.bytes
	for len(c.order) > cacheEntries || c.bytes > cacheBytes {
		c.bytes -= c.batches[c.order[0]].bytes
		delete(c.batches, c.order[0])
		c.order = c.order[1:]
	}
}

// Next returns the next batch that is not Empty, nil if there is none, and
// moves the cursor past empty batches, but not past the returned batch.
func (c *Cache[F]) Next(at *hub.Cursor, set *hub.TopicSet, d hub.Delivery) (*Batch[F], error) {
	for {
		b, err := c.Since(*at, set, d)
		if err != nil || b == nil || !b.Empty() {
			return b, err
		}
		*at = b.Next
	}
}

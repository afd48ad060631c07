package hub

import (
	"sync"
	"sync/atomic"
	"time"
)

// A Waker is notified when its subscription has something to read. Wake runs on a goroutine of the
// hub that wakes many others: it must not block. It is called at most once per successful Arm. A call
// that started before Disarm or Close may complete after it.
type Waker interface{ Wake() }

// A Subscription follows a set of topics. It stores no messages, only the hub number up to which its
// owner has read.
type Subscription struct {
	set       *TopicSet
	waker     Waker
	hub       *Hub
	shard     int
	after     atomic.Uint64 // hub number
	armed     atomic.Bool
	positions []int32 // positions[i] is this subscription's index in the followers of set.topics[i]; guarded by followersMu
	closed    bool    // guarded by the shard's followersMu
}

// followers holds a topic's subscriptions in one shard.
type followers struct {
	dirty   atomic.Bool  // the topic is in the shard's queue
	count   atomic.Int64 // len(entries), readable without a lock
	entries []follower   // guarded by the shard's followersMu
}

// A follower is a subscription to a topic.
type follower struct {
	subscription *Subscription
	topic        int32 // index of the topic in the subscription's set
}

// nextShard distributes subscriptions over the shards in turn.
var nextShard atomic.Uint32

// Subscribe registers a waker for a set's topics. The subscription is not armed. Its Set is another one if topics of the
// given set were removed.
func (h *Hub) Subscribe(set *TopicSet, w Waker) *Subscription {
	s := &Subscription{set: set, waker: w, hub: h, positions: make([]int32, len(set.topics))}
	s.shard = int(nextShard.Add(1)) % len(h.shards)
	mu := &h.shards[s.shard].followersMu
	mu.Lock()
	defer mu.Unlock()
	for s.set.stale() { // while it is not, the lock prevents that it becomes so
		mu.Unlock()
		s.set = h.renewed(s.set)
		mu.Lock()
	}
	for i, t := range s.set.topics {
		f := &t.follow[s.shard]
		s.positions[i] = int32(len(f.entries))
		f.entries = append(f.entries, follower{s, int32(i)})
		f.count.Store(int64(len(f.entries)))
	}
	return s
}

// Set returns the set of topics that the subscription follows.
func (s *Subscription) Set() *TopicSet { return s.set }

// Arm requests one Wake when the set has messages beyond the cursor. It returns false, and requests
// no Wake, if there are such messages already or if the cursor has another epoch: the owner must read
// first.
//
// Arm stores armed before it loads newest. A publisher stores newest before a shard loads armed. So
// at least one of them sees the other's store.
func (s *Subscription) Arm(c Cursor) bool {
	if c.Epoch != s.hub.epoch {
		return false
	}
	s.after.Store(c.Number)
	s.armed.Store(true)
	if s.set.newest() <= c.Number {
		return true
	}
	return !s.armed.CompareAndSwap(true, false) // a shard that disarmed it first calls Wake
}

// Disarm cancels an Arm. A shard that has already collected the subscription still calls Wake.
func (s *Subscription) Disarm() { s.armed.Store(false) }

// Close ends the subscription. It may be called from Wake, and more than once.
func (s *Subscription) Close() {
	s.Disarm()
	mu := &s.hub.shards[s.shard].followersMu
	mu.Lock()
	defer mu.Unlock()
	if s.closed {
		return
	}
	s.closed = true
	for i, t := range s.set.topics {
		t.follow[s.shard].remove(int(s.positions[i]))
	}
}

// remove removes one entry by moving the last one to its index.
func (f *followers) remove(index int) {
	last := len(f.entries) - 1
	moved := f.entries[last]
	f.entries[index] = moved
	moved.subscription.positions[moved.topic] = int32(index)
	f.entries[last] = follower{}
	f.entries = f.entries[:last]
	f.count.Store(int64(last))
	if last == 0 {
		f.entries = nil // a topic that had many followers must not keep their memory
	}
}

// A shard is a goroutine that wakes its share of all subscriptions. Its queue contains topics with new
// messages, each until its batching delay ends. The delay is the same for all topics, so the queue is
// in the order of the delays' ends.
type shard struct {
	batchingDelay time.Duration
	panicked      func(Waker, any) // Options.Panicked
	notify        chan struct{}    // capacity 1: the queue is not empty
	quit          chan struct{}
	ended         sync.WaitGroup

	mu    sync.Mutex // guards queue; held for a few instructions only, also by publishers
	queue []dirtyTopic

	followersMu sync.Mutex // guards entries, positions and closed of this shard's followers; not held while waking
}

// A dirtyTopic is a topic with new messages, and its followers in the shard.
type dirtyTopic struct {
	topic     *topic
	followers *followers
	due       time.Time // end of the batching delay; zero: none
}

func startShard(batchingDelay time.Duration, panicked func(Waker, any)) *shard {
	s := &shard{batchingDelay: batchingDelay, panicked: panicked, notify: make(chan struct{}, 1), quit: make(chan struct{})}
	s.ended.Go(s.run)
	return s
}

func (s *shard) stop() {
	select {
	case <-s.quit:
	default:
		close(s.quit)
	}
	s.ended.Wait()
}

func (s *shard) enqueue(t *topic, f *followers) {
	d := dirtyTopic{topic: t, followers: f}
	if s.batchingDelay > 0 {
		d.due = time.Now().Add(s.batchingDelay)
	}
	s.mu.Lock()
	s.queue = append(s.queue, d)
	s.mu.Unlock()
	select {
	case s.notify <- struct{}{}:
	default:
	}
}

// run wakes subscriptions until the shard is stopped. It reuses its two slices to save allocations.
func (s *shard) run() {
	var taken []dirtyTopic
	var woken []*Subscription
	for s.wait() {
		taken = s.take(taken[:0])
		for _, d := range taken {
			if !s.waitUntil(d.due) {
				return
			}
			woken = s.collect(d, woken[:0])
			for next := 0; next < len(woken); {
				next = s.wake(woken, next)
			}
			clear(woken)
		}
		clear(taken)
	}
}

// wake wakes the subscriptions from index next on, until one panics, and returns the index after the last one. A
// guard per subscription would cost each wake more than this one costs all of them.
func (s *shard) wake(woken []*Subscription, next int) (after int) {
	defer func() {
		if s.panicked == nil {
			return
		}
		if p := recover(); p != nil {
			s.panicked(woken[after-1].waker, p)
		}
	}()
	for after = next; after < len(woken); {
		after++
		woken[after-1].waker.Wake()
	}
	return after
}

// wait waits until the queue is not empty. It returns false if the shard is stopped.
func (s *shard) wait() bool {
	select {
	case <-s.quit:
		return false
	case <-s.notify:
		return true
	}
}

// take returns the queue and replaces it by the given empty slice, whose memory is thereby reused.
func (s *shard) take(into []dirtyTopic) []dirtyTopic {
	s.mu.Lock()
	defer s.mu.Unlock()
	taken := s.queue
	s.queue = into
	return taken
}

// waitUntil waits for the end of a batching delay. It returns false if the shard is stopped.
func (s *shard) waitUntil(due time.Time) bool {
	if due.IsZero() {
		return true
	}
	select {
	case <-s.quit:
		return false
	case <-time.After(time.Until(due)):
		return true
	}
}

// collect disarms and returns the topic's armed subscriptions that have not read its newest message.
// It first clears dirty, so that later messages queue the topic again.
func (s *shard) collect(d dirtyTopic, into []*Subscription) []*Subscription {
	d.followers.dirty.Store(false)
	newest := d.topic.newest.Load()
	s.followersMu.Lock()
	defer s.followersMu.Unlock()
	for _, f := range d.followers.entries {
		w := f.subscription
		if w.armed.Load() && w.after.Load() < newest && w.armed.CompareAndSwap(true, false) {
			into = append(into, w)
		}
	}
	return into
}

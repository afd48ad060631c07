package hub

import (
	"sync"
	"sync/atomic"
	"time"
)

// A Waker is told that its subscription has something to read. Wake runs on a
// goroutine of the hub that serves many others: it must not wait. It is called
// once per successful Arm, and perhaps once after Close.
type Waker interface{ Wake() }

// A Subscription follows a set of topics. It holds no messages, only the
// number up to which its owner has read.
type Subscription struct {
	set    *TopicSet
	waker  Waker
	hub    *Hub
	shard  int
	after  atomic.Uint64
	armed  atomic.Bool
	places []int32 // where it stands in each topic's list; under the shard's lists lock
	closed bool    // under the shard's lists lock
}

// followers are a topic's subscriptions in one shard.
type followers struct {
	dirty atomic.Bool  // the topic waits in the shard's queue
	count atomic.Int64 // len(list), readable without a lock
	list  []follower   // under the shard's lists lock
}

// A follower is a subscription and which of its topics this list belongs to.
type follower struct {
	subscription *Subscription
	topic        int32
}

// nextShard deals subscriptions out over the shards in turn.
var nextShard atomic.Uint32

// Subscribe registers a waker for a set's topics. It is not armed yet.
func (h *Hub) Subscribe(set *TopicSet, w Waker) *Subscription {
	s := &Subscription{set: set, waker: w, hub: h, places: make([]int32, len(set.topics))}
	s.shard = int(nextShard.Add(1)) % len(h.shards)
	lists := &h.shards[s.shard].lists
	lists.Lock()
	defer lists.Unlock()
	for i, t := range set.topics {
		f := &t.follow[s.shard]
		s.places[i] = int32(len(f.list))
		f.list = append(f.list, follower{s, int32(i)})
		f.count.Store(int64(len(f.list)))
	}
	return s
}

// Set is the set of topics the subscription follows.
func (s *Subscription) Set() *TopicSet { return s.set }

// Arm asks for one Wake when the set has more than the cursor. It returns false,
// and will not wake, if there is more already: then read, and arm again.
//
// The order is what makes it safe: armed first, the log looked at second; a
// publisher does it the other way round, so one of the two sees the other.
func (s *Subscription) Arm(c Cursor) bool {
	if c.Epoch != s.hub.epoch {
		return false
	}
	s.after.Store(c.Number)
	s.armed.Store(true)
	if s.set.newest() <= c.Number {
		return true
	}
	return !s.armed.CompareAndSwap(true, false) // a shard was faster: it wakes us
}

// Disarm takes an Arm back. A Wake that is already on its way still comes.
func (s *Subscription) Disarm() { s.armed.Store(false) }

// Close ends the subscription. It may be called from Wake, and more than once.
func (s *Subscription) Close() {
	s.Disarm()
	lists := &s.hub.shards[s.shard].lists
	lists.Lock()
	defer lists.Unlock()
	if s.closed {
		return
	}
	s.closed = true
	for i, t := range s.set.topics {
		t.follow[s.shard].remove(int(s.places[i]))
	}
}

// remove takes one entry out by moving the last into its place.
func (f *followers) remove(place int) {
	last := len(f.list) - 1
	moved := f.list[last]
	f.list[place] = moved
	moved.subscription.places[moved.topic] = int32(place)
	f.list[last] = follower{}
	f.list = f.list[:last]
	f.count.Store(int64(last))
	if last == 0 {
		f.list = nil // a topic that had a crowd once must not keep its memory
	}
}

// A shard is one goroutine that wakes its share of all subscriptions. Topics
// wait in its queue in the order in which they got news, each until its flush
// window is over; the window is the same for all, so the queue stays sorted.
type shard struct {
	flush time.Duration
	news  chan struct{} // capacity 1: the queue is not empty
	quit  chan struct{}
	ended sync.WaitGroup

	mu    sync.Mutex // guards queue; held for a few instructions only, publishers take it
	queue []dirtyTopic

	lists sync.Mutex // guards every followers.list of this shard, never held while waking
}

type dirtyTopic struct {
	topic *topic
	list  *followers
	due   time.Time
}

func startShard(flush time.Duration) *shard {
	s := &shard{flush: flush, news: make(chan struct{}, 1), quit: make(chan struct{})}
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
	d := dirtyTopic{topic: t, list: f}
	if s.flush > 0 {
		d.due = time.Now().Add(s.flush)
	}
	s.mu.Lock()
	s.queue = append(s.queue, d)
	s.mu.Unlock()
	select {
	case s.news <- struct{}{}:
	default:
	}
}

// run wakes until it is told to stop. The two slices are its own and reused.
func (s *shard) run() {
	var taken []dirtyTopic
	var woken []*Subscription
	for s.wait() {
		taken = s.take(taken[:0])
		for _, d := range taken {
			if !s.hold(d.due) {
				return
			}
			woken = s.collect(d, woken[:0])
			for _, w := range woken {
				w.waker.Wake()
			}
			clear(woken)
		}
		clear(taken)
	}
}

func (s *shard) wait() bool {
	select {
	case <-s.quit:
		return false
	case <-s.news:
		return true
	}
}

// take moves the queue into an empty slice and leaves that slice's memory behind.
func (s *shard) take(into []dirtyTopic) []dirtyTopic {
	s.mu.Lock()
	defer s.mu.Unlock()
	taken := s.queue
	s.queue = into
	return taken
}

// hold waits for the end of a flush window; false means stop.
func (s *shard) hold(due time.Time) bool {
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

// collect disarms and returns the topic's armed subscriptions that have not
// read its newest message. The topic is clean first: news from here on queues it again.
func (s *shard) collect(d dirtyTopic, into []*Subscription) []*Subscription {
	d.list.dirty.Store(false)
	newest := d.topic.newest.Load()
	s.lists.Lock()
	defer s.lists.Unlock()
	for _, f := range d.list.list {
		w := f.subscription
		if w.armed.Load() && w.after.Load() < newest && w.armed.CompareAndSwap(true, false) {
			into = append(into, w)
		}
	}
	return into
}

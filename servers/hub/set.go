package hub

import (
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"
	"weak"
)

// A TopicSet is the set of topics of a subscription. While a set is referenced, the hub returns the
// same pointer for the same topics: so sets can be compared by pointer, and everything computed for a
// set can be shared.
type TopicSet struct {
	topics []*topic // in ascending order of their names
}

// Len returns the number of topics.
func (s *TopicSet) Len() int { return len(s.topics) }

// Name returns the name of the i-th topic, in ascending order.
func (s *TopicSet) Name(i int) string { return s.topics[i].name }

// newest returns the largest hub number among the set's topics. Without the hub's lock it may miss a
// message that is being published; that message then wakes an armed subscription.
func (s *TopicSet) newest() uint64 {
	var n uint64
	for _, t := range s.topics {
		n = max(n, t.newest.Load())
	}
	return n
}

// Set returns the set of the named topics, creating those that do not exist.
// Each name must be valid, none given twice. Without a name the set never has a message. The only error is ErrFull.
func (h *Hub) Set(names []string) (*TopicSet, error) {
	names = slices.Clone(names)
	slices.Sort(names)
	return h.set(names, false)
}

// renewed returns the set that has replaced a stale one, even beyond MaxTopics: the stale set was within it.
func (h *Hub) renewed(stale *TopicSet) *TopicSet {
	names := make([]string, stale.Len())
	for i := range names {
		names[i] = stale.Name(i)
	}
	s, _ := h.set(names, true) // cannot fail
	return s
}

// set returns the set of the named topics, which are in ascending order; if always, even beyond MaxTopics.
func (h *Hub) set(names []string, always bool) (*TopicSet, error) {
	key := strings.Join(names, ",")
	if s := h.sets.get(key); s != nil {
		return s, nil
	}
	topics, err := h.lookUp(names, always)
	if err != nil {
		return nil, err
	}
	made := &TopicSet{topics: topics}
	s := h.sets.put(h, key, made)
	if s != made {
		h.release(topics) // another goroutine was first
	}
	return s, nil
}

// lookUp returns the topics, creating those that do not exist, for one set more. On an error it creates none.
func (h *Hub) lookUp(names []string, always bool) ([]*topic, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !always && !h.roomForLocked(names) {
		return nil, ErrFull
	}
	topics := make([]*topic, 0, len(names))
	for _, name := range names {
		t := h.topics[name]
		if t == nil {
			t = h.createLocked(name)
		}
		t.sets++
		topics = append(topics, t)
	}
	return topics, nil
}

// release ends the use of topics by a set.
func (h *Hub) release(topics []*topic) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, t := range topics {
		t.sets--
		h.removeUnusedLocked(t)
	}
}

// removeUnusedLocked removes a topic of no set, if nothing was published to it: a new topic of its name is the same.
func (h *Hub) removeUnusedLocked(t *topic) {
	if t.sets == 0 && t.log.last() == 0 && !t.removed.Load() { // else another may have its name
		delete(h.topics, t.name)
	}
}

// roomForLocked reports whether those of the named topics that do not exist may be created; mu is held.
func (h *Hub) roomForLocked(names []string) bool {
	if h.fitLocked(names) {
		return true
	}
	h.removeVacantLocked()
	fit := h.fitLocked(names)
	h.full = h.full || !fit
	return fit
}

func (h *Hub) fitLocked(names []string) bool {
	n := len(h.topics)
	for _, name := range names {
		if h.topics[name] == nil {
			n++
		}
	}
	return n <= h.options.MaxTopics
}

// removeVacantLocked removes the topics without a message and a subscription; mu is held. Sets that have them become
// stale: the next Set or Subscribe replaces them. If it removes few, it does nothing for 16 times as long as it took:
// otherwise each request to a full hub would delay all others.
func (h *Hub) removeVacantLocked() {
	began := time.Now()
	if began.Before(h.vacant) {
		return
	}
	for _, s := range h.shards {
		s.followersMu.Lock()
		defer s.followersMu.Unlock()
	}
	before := len(h.topics)
	for name, t := range h.topics {
		if t.log.last() == 0 && !t.followed() {
			t.removed.Store(true)
			delete(h.topics, name)
		}
	}
	if removed := before - len(h.topics); removed < before/16 {
		h.vacant = began.Add(16 * time.Since(began))
	}
}

// stale reports whether the hub has removed a topic of the set.
func (s *TopicSet) stale() bool {
	for _, t := range s.topics {
		if t.removed.Load() {
			return true
		}
	}
	return false
}

// An interner maps the names of a set to a weak pointer to the set: clients can request any number of
// different sets, and unused sets must not stay in memory.
type interner struct {
	mu   sync.Mutex
	sets map[string]weak.Pointer[TopicSet] // key: the sorted names, joined by commas
}

func (in *interner) get(key string) *TopicSet {
	in.mu.Lock()
	defer in.mu.Unlock()
	if s := in.sets[key].Value(); s != nil && !s.stale() {
		return s
	}
	return nil
}

// put stores s and returns it. If a set of the same topics is already stored, put returns that one.
func (in *interner) put(h *Hub, key string, s *TopicSet) *TopicSet {
	in.mu.Lock()
	defer in.mu.Unlock()
	if first := in.sets[key].Value(); first != nil && !first.stale() {
		return first
	}
	key = strings.Clone(key) // a single name may be in the caller's buffer
	in.sets[key] = weak.Make(s)
	topics := s.topics
	runtime.AddCleanup(s, func(key string) {
		in.forget(key)
		h.release(topics)
	}, key)
	return s
}

// forget removes a dead entry, unless a new set of the same topics has replaced it.
func (in *interner) forget(key string) {
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.sets[key].Value() == nil {
		delete(in.sets, key)
	}
}

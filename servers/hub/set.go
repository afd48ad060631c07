package hub

import (
	"runtime"
	"slices"
	"strings"
	"sync"
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
	key := strings.Join(names, ",")
	if s := h.sets.get(key); s != nil {
		return s, nil
	}
	topics, err := h.lookUp(names)
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
func (h *Hub) lookUp(names []string) ([]*topic, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	missing := 0
	for _, name := range names {
		if h.topics[name] == nil {
			missing++
		}
	}
	if len(h.topics)+missing > h.options.MaxTopics {
		h.full = true
		return nil, ErrFull
	}
	topics := make([]*topic, 0, len(names))
	for _, name := range names {
		t, _ := h.topicLocked(name) // cannot fail: there is room for all of them
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
	if t.sets == 0 && t.log.last() == 0 {
		delete(h.topics, t.name)
	}
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
	return in.sets[key].Value()
}

// put stores s and returns it. If a set of the same topics is already stored, put returns that one.
func (in *interner) put(h *Hub, key string, s *TopicSet) *TopicSet {
	in.mu.Lock()
	defer in.mu.Unlock()
	if first := in.sets[key].Value(); first != nil {
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

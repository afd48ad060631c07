package hub

import (
	"runtime"
	"time"
)

// sweepBatch is how many topics a sweep looks at while it holds the hub's lock: publications wait for no more.
const sweepBatch = 256

// startSweeping starts a sweep every IdleAfter.
func (h *Hub) startSweeping() {
	h.sweeping.Lock()
	defer h.sweeping.Unlock()
	h.sweeper = time.AfterFunc(h.options.IdleAfter, func() {
		h.sweeping.Lock()
		defer h.sweeping.Unlock()
		if h.sweeper != nil {
			h.sweep()
			h.sweeper.Reset(h.options.IdleAfter)
		}
	})
}

// stopSweeping ends the sweeps and waits for the current one.
func (h *Hub) stopSweeping() {
	h.sweeping.Lock()
	defer h.sweeping.Unlock()
	if h.sweeper != nil {
		h.sweeper.Stop()
		h.sweeper = nil
	}
}

// sweep frees the messages of topics that had neither a publication for a whole period nor have a subscription. Their
// last seq remains, so that a later read declares a gap. Only if a topic was refused because of MaxTopics, sweep
// removes such topics: then cursors older than the removal receive a gap of unknown length.
func (h *Hub) sweep() {
	h.mu.Lock()
	remove := h.full
	h.full = false
	h.period++
	h.mu.Unlock()
	if remove {
		runtime.GC() // otherwise sets that nothing uses keep their topics until the next collection
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	looked := 0
	for _, t := range h.topics {
		if h.idle(t) {
			h.bytes -= t.log.memory()
			t.log.free()
			if remove && t.sets == 0 {
				delete(h.topics, t.name)
				h.forgotten = h.newest.Load()
			} else {
				h.bytes += t.log.memory()
			}
		}
		if looked++; looked%sweepBatch == 0 {
			h.mu.Unlock()
			h.mu.Lock()
		}
	}
}

// idle reports whether a topic has messages that nothing waits for; mu is held.
func (h *Hub) idle(t *topic) bool {
	return t.log.last() > 0 && h.period-t.period >= 2 && !t.followed()
}

// Buffered returns the number of topics, and the bytes of the messages that they retain.
func (h *Hub) Buffered() (topics, bytes int) {
	h.mu.RLock()
	defer h.mu.RUnlock()
	return len(h.topics), h.bytes
}

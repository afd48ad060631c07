package eventloop

import "pushbench/bench/clock"

// A timer calls its handler once, when it expires. The zero value is not set.
type timer struct {
	handler interface{ expired(at clock.Instant) }
	expires clock.Instant
	index   int // in the loop's timers, from 1; 0: not set
}

// timers is a binary heap of timers, ordered by expiry.
type timers []*timer

func (t timers) first() clock.Instant {
	if len(t) == 0 {
		return never
	}
	return t[0].expires
}

// pop removes and returns the first timer that has expired, or nil.
func (t *timers) pop(now clock.Instant) *timer {
	if t.first() > now {
		return nil
	}
	k := (*t)[0]
	t.remove(k)
	return k
}

// set sets when a timer expires.
func (t *timers) set(k *timer, at clock.Instant) {
	k.expires = at
	if k.index == 0 {
		*t = append(*t, k)
		k.index = len(*t)
	}
	t.restore(k)
}

func (t *timers) remove(k *timer) {
	if k.index == 0 {
		return
	}
	last := (*t)[len(*t)-1]
	*t = (*t)[:len(*t)-1]
	if last != k {
		(*t)[k.index-1] = last
		last.index = k.index
		t.restore(last)
	}
	k.index = 0
}

// restore restores the heap order after a timer changed. Indexes count from 1.
func (t timers) restore(k *timer) {
	for k.index > 1 && k.expires < t[k.index/2-1].expires {
		t.swap(k, t[k.index/2-1])
	}
	for {
		child := 2 * k.index
		if child < len(t) && t[child].expires < t[child-1].expires {
			child++
		}
		if child > len(t) || t[child-1].expires >= k.expires {
			return
		}
		t.swap(k, t[child-1])
	}
}

func (t timers) swap(a, b *timer) {
	t[a.index-1], t[b.index-1] = b, a
	a.index, b.index = b.index, a.index
}

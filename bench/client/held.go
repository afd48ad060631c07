package client

import (
	"time"

	"pushbench/bench/clock"
)

// Held is the account of how long a connection was not free to send. Its zero value is
// that of a free connection.
type Held struct {
	total time.Duration
	since clock.Instant // since when it is not free; 0 while it is
}

// By is how long the connection was not free, up to an instant.
func (h *Held) By(at clock.Instant) time.Duration {
	if h.since == 0 {
		return h.total
	}
	return h.total + max(0, at.Sub(h.since))
}

// Now reports whether the connection is not free.
func (h *Held) Now() bool { return h.since != 0 }

// Hold notes that the connection is not free from an instant on.
func (h *Held) Hold(at clock.Instant) { h.total, h.since = h.By(at), at }

// Release notes that the connection is free from an instant on.
func (h *Held) Release(at clock.Instant) { h.total, h.since = h.By(at), 0 }

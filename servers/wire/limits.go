package wire

import (
	"cmp"
	"time"
)

// A SlowPolicy is the policy for a subscriber that is too slow.
type SlowPolicy string

// SlowClose ends a stream or socket that is behind by more than the ring or has
// not drained for SlowAfter. SlowGap continues with a declared gap, and closes
// only connections that have not drained for slowGapFactor times as long: a dead peer.
const (
	SlowClose SlowPolicy = "close"
	SlowGap   SlowPolicy = "gap"
)

const slowGapFactor = 12

// Limits bound the resources that clients can use. The zero value is valid.
type Limits struct {
	MaxPayload          int           `json:"max_payload_bytes"`           // of one message; default 64 KiB
	MaxTopics           int           `json:"max_topics_per_subscription"` // default 256
	MaxHeader           int           `json:"max_header_bytes"`            // of request line and headers; default 8 KiB
	MaxPollTimeout      time.Duration `json:"max_poll_timeout_ns"`         // maximum timeout of a poll; default 30s
	ReadTimeout         time.Duration `json:"read_timeout_ns"`             // for a request, from its first byte; default 5s
	IdleTimeout         time.Duration `json:"idle_timeout_ns"`             // between two requests of a connection; default 65s
	SlowAfter           time.Duration `json:"slow_after_ns"`               // how long written bytes may remain unread; default 5s
	Slow                SlowPolicy    `json:"slow_consumer"`               // default SlowClose
	ResponseHeaderBytes int           `json:"response_header_bytes"`       // to which the headers of a 200 or 204 are padded; default 0: no padding
	Heartbeat           time.Duration `json:"heartbeat_ns"`                // how long a stream or socket may be silent before the server sends one; default 0: never sent
}

func (l Limits) withDefaults() Limits {
	l.MaxPayload = cmp.Or(l.MaxPayload, 64<<10)
	l.MaxTopics = cmp.Or(l.MaxTopics, 256)
	l.MaxHeader = cmp.Or(l.MaxHeader, 8<<10)
	l.MaxPollTimeout = cmp.Or(l.MaxPollTimeout, 30*time.Second)
	l.ReadTimeout = cmp.Or(l.ReadTimeout, 5*time.Second)
	l.IdleTimeout = cmp.Or(l.IdleTimeout, 65*time.Second)
	l.SlowAfter = cmp.Or(l.SlowAfter, 5*time.Second)
	l.Slow = cmp.Or(l.Slow, SlowClose)
	return l
}

func (l Limits) stallAfter() time.Duration {
	if l.Slow == SlowGap {
		return slowGapFactor * l.SlowAfter
	}
	return l.SlowAfter
}

// MaxFrame is the largest frame a WebSocket client may send, in bytes: a
// payload with every byte escaped as \u00XX, and its envelope.
func (l Limits) MaxFrame() int { return 6*l.MaxPayload + 512 }

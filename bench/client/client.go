// Package client simulates the clients of a benchmark: they subscribe, receive
// and publish over one transport, and report to a Sink what happened and when.
//
// It owns what a client sends, what it makes of what arrives, and the counting of every
// byte; connecting, waiting, reading and writing are an engine's, of which it knows none
// (package engines lists them). It must never retry or dial in secret, wait on behalf of
// the schedule, or judge what it received: that is the Sink's.
package client

import (
	"time"

	"pushbench/bench/clock"
)

// An Engine opens sessions of simulated clients against one server.
type Engine interface {
	// Open starts a session and returns at once; what comes of it is reported
	// to the sink, by events and deliveries that carry sub.Client. A session that
	// loses its connection reports Disconnected and tries again, with its
	// cursor, until it is closed.
	Open(sub Subscription, sink Sink) Session
	// Workers is how many threads serve sessions: each session is served by the
	// one that its subscription names.
	Workers() int
	// Pace has a worker publish what a feed gives, when it is due: all for sessions
	// of its own. It returns at once. A worker has one feed.
	Pace(worker int, feed Feed)
	// Close ends the workers, once all feeds have ended and all sessions are closed.
	Close()
}

// A Feed is what one worker is to publish, in due order. That worker alone calls it.
type Feed interface {
	// Next is when the next publication is due; ok is false when there is none, any
	// more. It is called again before each, and at least every tenth of a second.
	Next() (due clock.Instant, ok bool)
	// Take takes it. Its payload is valid until the next Take.
	Take() Publication
}

// A Publication is one payload on its way into a session.
type Publication struct {
	Session Session
	ID      uint32
	Topic   string
	Payload []byte
}

// A Session is one client's presence on a server.
type Session interface {
	// Publish sends a payload to a topic and returns at once; exactly one of
	// the events Dropped, Acked or Failed follows, unless the connection dies
	// with the answer outstanding: then nothing does. payload may be reused by
	// the caller when Publish returns.
	Publish(id uint32, topic string, payload []byte)
	// Close ends the session and returns when none of its goroutines can call
	// the sink any more.
	Close()
}

// A Sink receives what happens to the sessions of one worker. It may be called by
// several goroutines and locks for itself; an event loop's calls never contend. It
// must not call any session.
type Sink interface {
	// Deliver hands over a batch as it was decoded at the given instant. The
	// batch and all it points to are valid until Deliver returns.
	Deliver(client int, batch *Batch, at clock.Instant)
	Event(client int, event Event, at clock.Instant)
}

// A Subscription is what one client asks for.
type Subscription struct {
	Client    int
	Worker    int      // which serves it, from 0
	Topics    []string // none: the session only publishes, and see Reports
	Delivery  string   // "every" or "latest"
	Publishes bool     // the client will publish: transports that need a second connection for it open one at once
	Phase     float64  // short polling: where in the interval the first poll falls, 0 … 1

	// Reports says of a session without topics that it is a client, which publishes over
	// its own transport from where it is. Else it is a backend: it stands beside the
	// server and posts, whatever the transport.
	PublishOnly bool

	AtServer bool // the session stands beside the server, whatever it subscribes to
}

// Backend reports whether it is one: see Reports.
func (s *Subscription) Backend() bool { return len(s.Topics) == 0 && !s.PublishOnly }

// A Batch is one answer, event or frame, decoded.
type Batch struct {
	Cursor   []byte
	Messages []Message
	Gaps     []Gap
	Ack      bool // the subscribe-ack: it carries the topics' heads
}

// A Message is one message of a batch.
type Message struct {
	Topic []byte
	Seq   uint64
	Data  []byte
}

// A Gap is what the server declares it cannot deliver: From to To in seq, or
// an unknown number when its epoch changed.
type Gap struct {
	Topic        string
	From, To     uint64
	EpochChanged bool
}

// A Kind says what an Event reports.
type Kind uint8

// The events of a session.
const (
	Connecting   Kind = iota // a dial begins
	Connected                // subscribed: the server's first answer is in hand; Stages is set
	Disconnected             // the connection ended or could not be opened; Cause says why
	Sending                  // the write of publish ID begins; Waited says how long an earlier publish held the connection
	Acked                    // publish ID was acknowledged with Seq
	Failed                   // publish ID was refused or its connection broke; Cause says why
	Dropped                  // publish ID was never sent; Cause says why
	Polled                   // a poll was answered without a message
)

// An Event is something other than a delivery that happened to a session.
type Event struct {
	Kind   Kind
	Cause  string // of Disconnected, Failed, Dropped: one of the Cause constants or an error's words
	ID     uint32
	Seq    uint64
	Waited time.Duration
	Stages Stages
}

// Stages are the durations of setting up one connection, each from the dial's begin.
type Stages struct {
	TCP      time.Duration // connected
	TLS      time.Duration // the TLS handshake done; 0: there was none
	Response time.Duration // the first request (upgrade, stream or poll) answered: header complete
	Ready    time.Duration // the subscribe-ack decoded
	Resume   bool          // a reconnect: not part of the connection statistics

	BytesUp, BytesDown int64 // on this connection until ready
	Requests           int   // of these bytes: the requests, each a round trip
}

// Causes that are counted under a name of their own.
const (
	CauseInFlight = "too many publishes in flight"
	CauseClosed   = "session closed"
	CauseOffline  = "not connected"
)

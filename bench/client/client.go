// Package client simulates the clients of a benchmark: they subscribe, receive
// and publish over one transport, and report each event with its instant to a Sink.
//
// It owns what a client sends, how it interprets what it receives, and the counting of
// every byte. Engines connect, wait, read and write; this package knows none of them
// (package engines lists them). It must never retry or dial without counting it, wait on
// behalf of the schedule, or evaluate what it received: that is the Sink's task.
package client

import (
	"time"

	"pushbench/bench/clock"
)

// An Engine opens sessions of simulated clients against one server.
type Engine interface {
	// Open starts a session and returns at once. The sink receives its events and
	// deliveries, which carry sub.Client. A session that loses its connection
	// reports Disconnected and reconnects, with its cursor, until it is closed.
	Open(sub Subscription, sink Sink) Session
	// Workers returns the number of threads that serve sessions: each session is served
	// by the worker that its subscription names.
	Workers() int
	// Pace makes a worker publish the publications of a feed when they are due, all in
	// sessions of that worker. It returns at once. A worker has one feed.
	Pace(worker int, feed Feed)
	// Close stops the workers. All feeds must have ended and all sessions be closed.
	Close()
}

// A Feed supplies the publications of one worker in due order. Only that worker calls it.
type Feed interface {
	// Next returns when the next publication is due; ok is false at the end of the feed.
	// It is called before each publication, and at least every tenth of a second.
	Next() (due clock.Instant, ok bool)
	// Take removes and returns the next publication. Its payload is valid until the next Take.
	Take() Publication
}

// A Publication is one payload that a session is to publish.
type Publication struct {
	Session Session
	ID      uint32
	Topic   string
	Payload []byte
}

// A Session is one simulated client of a server.
type Session interface {
	// Publish sends a payload to a topic and returns at once. Exactly one of the
	// events Dropped, Acked or Failed follows, unless the connection of a WebSocket
	// ends before the outcome arrives: then none does. Between Connected and
	// Disconnected no publication is Dropped with CauseOffline. The caller may reuse
	// payload when Publish returns.
	Publish(id uint32, topic string, payload []byte)
	// Close ends the session and returns when none of its goroutines calls the sink
	// any longer.
	Close()
}

// A Sink receives the events and deliveries of the sessions of one worker. Several
// goroutines may call it, so it locks; calls of an event loop never contend. It must not
// call any session.
type Sink interface {
	// Deliver passes a batch that arrived at the given instant. The batch and all it
	// points to are valid until Deliver returns.
	Deliver(client int, batch *Batch, at clock.Instant)
	Event(client int, event Event, at clock.Instant)
}

// A Subscription describes one client: what it subscribes to and how it publishes.
type Subscription struct {
	Client    int
	Worker    int      // the worker that serves it, from 0
	Topics    []string // none: the session only publishes; see PublishOnly
	Delivery  string   // "every" or "latest"
	Publishes bool     // the client will publish: transports that use a second connection for it open it at once
	Phase     float64  // short polling: position of the first poll in the interval, 0 … 1

	// PublishOnly marks a session without topics as a client, which publishes over its
	// own transport and through the Link. Any other session without topics is a backend:
	// it runs next to the server and publishes by POST, for every transport.
	PublishOnly bool

	AtServer bool // the session runs next to the server, whatever its topics
}

// Backend reports whether the session is a backend: see PublishOnly.
func (s *Subscription) Backend() bool { return len(s.Topics) == 0 && !s.PublishOnly }

// A Batch is one decoded response, event or frame.
type Batch struct {
	Cursor   []byte
	Messages []Message
	Gaps     []Gap
	Ack      bool // the subscribe-ack, which carries the last sequence number of each topic
}

// A Message is one message of a batch.
type Message struct {
	Topic []byte
	Seq   uint64
	Data  []byte
}

// A Gap is a declared gap: the messages From to To that the server cannot deliver, or
// an unknown number of them when its epoch changed.
type Gap struct {
	Topic        string
	From, To     uint64
	EpochChanged bool
}

// A Kind is the kind of an Event.
type Kind uint8

// The events of a session.
const (
	Connecting   Kind = iota // a dial begins
	Connected                // subscribed: the server's first response is complete; Stages is set
	Disconnected             // the connection ended or could not be opened; Cause is set
	Sending                  // the write of publication ID begins; Waited is how long the connection was busy before
	Acked                    // publication ID was acknowledged with Seq
	Failed                   // publication ID was refused or its connection failed; Cause is set
	Dropped                  // publication ID was never sent; Cause is set
	Polled                   // a poll returned no message
	Stepped                  // step ID of a target's protocol begins, from 1
)

// An Event is anything but a delivery that happens in a session.
type Event struct {
	Kind   Kind
	Cause  string // of Disconnected, Failed, Dropped: a Cause constant or the text of an error
	ID     uint32
	Seq    uint64
	Waited time.Duration
	Stages Stages
}

// Stages are the durations of opening one connection, each from the start of the dial.
type Stages struct {
	TCP      time.Duration // connected
	TLS      time.Duration // the TLS handshake done; 0: there was none
	Response time.Duration // header of the first response (to an upgrade, stream or poll) complete
	Ready    time.Duration // the subscribe-ack decoded
	Resume   bool          // a reconnect: not part of the connection statistics

	BytesUp, BytesDown int64 // on this connection until ready
	Requests           int   // the requests in BytesUp, each a round trip
}

// Causes of publications that are not sent.
const (
	CauseInFlight = "too many publications in flight"
	CauseClosed   = "session closed"
	CauseOffline  = "not connected"
)

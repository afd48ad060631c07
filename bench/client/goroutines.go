package client

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/url"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/gorilla/websocket"

	"pushbench/bench/clock"
	"pushbench/scenarios"
)

// Agent names the tool in every request.
const Agent = "pushbench"

// Config says whom the clients of an engine talk to, and how.
type Config struct {
	Target    string // host:port
	Transport scenarios.Transport
	Traffic   *Traffic // where bytes are counted; required

	Interval      time.Duration    // short polling: between polls
	Pacing        scenarios.Pacing // short polling
	Hold          time.Duration    // long polling: how long the server may hold a poll
	NewConnection bool             // polling: a TCP connection for every poll
	InFlight      int              // publishes a session may have waiting or unanswered; default 4096
}

const defaultInFlight = 4096

// Goroutines returns the engine that gives every session a goroutine of its
// own, on gorilla/websocket and fasthttp's codec. A session with no topics only
// publishes, and may be opened against any server.
func Goroutines(config Config) Transport {
	if config.InFlight == 0 {
		config.InFlight = defaultInFlight
	}
	return &engine{Config: config}
}

type engine struct {
	Config
	writeBuffers sync.Pool // of gorilla's, shared by all sockets
}

func (e *engine) Open(sub Subscription, sink Sink) Session {
	ctx, cancel := context.WithCancel(context.Background())
	s := &session{engine: e, sub: sub, sink: sink, cancel: cancel}
	switch {
	case len(sub.Topics) == 0:
		s.up = newPoster(ctx, s)
	case e.Transport == scenarios.WebSocket:
		socket := &socket{session: s}
		s.up = &outbox{session: s, send: socket.send, online: socket.online}
		s.start(ctx, socket.serve)
	default:
		if sub.Publishes {
			s.up = newPoster(ctx, s)
		}
		s.start(ctx, s.receiver())
	}
	return s
}

// receiver is the way down of the transports that are plain HTTP.
func (s *session) receiver() func(context.Context) error {
	if s.engine.Transport == scenarios.SSE {
		return (&stream{session: s}).serve
	}
	return (&poller{session: s, beat: beat{every: s.engine.Interval}}).serve
}

// A session keeps one client subscribed until it is closed.
type session struct {
	engine *engine
	sub    Subscription
	sink   Sink
	up     *outbox
	cancel context.CancelFunc
	done   sync.WaitGroup

	cursor  string        // what the client has read; empty until the first subscribe-ack
	frame   frame         // reused
	decoder decoder       // reused
	dialled clock.Instant // of the current attempt
	stages  Stages
	first   *conn // the connection that was answered first
	ready   bool  // Connected was told for this connection
}

func (s *session) Publish(id uint32, topic string, payload []byte) {
	s.up.push(id, topic, payload)
}

func (s *session) Close() {
	if s.up != nil {
		s.up.shut()
	}
	s.cancel()
	s.done.Wait()
	if s.up != nil {
		s.up.close()
	}
}

// start runs serve, which connects and works until the connection ends, again
// and again until the session is closed. Each time it ends, and each attempt, is told.
func (s *session) start(ctx context.Context, serve func(context.Context) error) {
	s.done.Go(func() {
		for attempt := 0; ; attempt++ {
			s.ready, s.first = false, nil
			s.dialled = clock.Now()
			s.stages = Stages{Resume: s.cursor != ""}
			s.tell(Event{Kind: Connecting}, s.dialled)
			err := serve(ctx)
			if ctx.Err() != nil {
				return
			}
			s.tell(Event{Kind: Disconnected, Cause: cause(err)}, clock.Now())
			if s.ready {
				attempt = 0
			}
			if !pause(ctx, backOff(attempt)) {
				return
			}
			s.engine.Traffic.Reconnects.Add(1)
		}
	})
}

func (s *session) tell(e Event, at clock.Instant) { s.sink.Event(s.sub.Client, e, at) }

// answered notes that the first header of the connection is complete.
func (s *session) answered(c *conn) {
	if s.stages.Answer == 0 {
		s.stages.Answer = c.headerAt.Sub(s.dialled)
		s.stages.Requests = 1
		s.stages.BytesUp = c.sent
		s.first = c
	}
}

// subscribed tells, once a connection, that the client is subscribed.
func (s *session) subscribed(at clock.Instant) {
	if s.ready {
		return
	}
	s.ready = true
	s.stages.Ready = at.Sub(s.dialled)
	s.stages.BytesDown = s.first.received - int64(len(s.first.ahead))
	s.tell(Event{Kind: Connected, Stages: s.stages}, at)
}

// receive decodes and delivers one batch that arrived at the given instant.
func (s *session) receive(body []byte, at clock.Instant) error {
	if err := s.decoder.decode(body, &s.frame); err != nil {
		s.engine.Traffic.Down.Envelope.Add(int64(len(body)))
		return err
	}
	return s.take(int64(len(body)), at)
}

// take delivers the decoded batch, of which size bytes arrived. Without a
// cursor it is none: the next request would ask "from now" and lose in silence.
func (s *session) take(size int64, at clock.Instant) error {
	if len(s.frame.Cursor) == 0 {
		s.engine.Traffic.Down.Envelope.Add(size)
		return fmt.Errorf("%w: no cursor", errMalformed)
	}
	payload := s.frame.payloadBytes()
	s.engine.Traffic.Down.Payload.Add(payload)
	s.engine.Traffic.Down.Envelope.Add(size - payload)
	if len(s.frame.Messages) > 0 {
		s.engine.Traffic.Batches.Add(1)
	}
	if string(s.frame.Cursor) != s.cursor {
		s.cursor = string(s.frame.Cursor)
	}
	s.subscribed(at)
	s.sink.Deliver(s.sub.Client, &s.frame.Batch, at)
	return nil
}

// query is the subscription as every transport's URL carries it.
func (s *session) query(path string) string {
	var b strings.Builder
	b.WriteString(path)
	separator := "?topic="
	for _, topic := range s.sub.Topics {
		b.WriteString(separator)
		b.WriteString(url.QueryEscape(topic))
		separator = "&topic="
	}
	if s.sub.Delivery == string(scenarios.Latest) {
		b.WriteString("&delivery=latest")
	}
	if s.cursor != "" {
		b.WriteString("&after=")
		b.WriteString(url.QueryEscape(s.cursor))
	}
	return b.String()
}

// Reconnecting backs off exponentially with full jitter, so that a thousand
// clients that lost the same server do not come back in step.
const (
	backOffBase = 50 * time.Millisecond
	backOffCap  = 2 * time.Second
)

func backOff(attempt int) time.Duration {
	ceiling := min(backOffBase<<min(attempt, 10), backOffCap)
	return time.Duration(rand.Int64N(int64(ceiling)) + 1)
}

// pause waits, and says whether it waited to the end.
func pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// cause names an error in few enough ways that they can be counted: no
// addresses, no ports, nothing that a server wrote.
func cause(err error) string {
	for _, known := range causes {
		if errors.Is(err, known.err) {
			return known.name
		}
	}
	var dns *net.DNSError
	var network net.Error
	var operation *net.OpError
	switch {
	case err == nil:
		return causeEnd
	case errors.As(err, &dns):
		return "host not found"
	case errors.As(err, &network) && network.Timeout():
		return "timeout"
	case errors.As(err, &operation):
		return operation.Op + ": " + operation.Err.Error() // without the addresses
	default:
		return err.Error()
	}
}

const causeEnd = "connection closed by server"

// causes names errors. What is said of the server comes before what its
// connection did then.
var causes = []struct {
	err  error
	name string
}{
	{errMalformed, errMalformed.Error()},
	{errAnswer, errAnswer.Error()},
	{errTooLong, errTooLong.Error()},
	{websocket.ErrReadLimit, errTooLong.Error()},
	{errMore, errMore.Error()},
	{syscall.ECONNREFUSED, "connection refused"},
	{syscall.ECONNRESET, causeReset},
	{syscall.EPIPE, causeReset},
	{syscall.ECONNABORTED, causeReset},
	{syscall.EADDRNOTAVAIL, "no local port left"},
	{syscall.EMFILE, causeDescriptors},
	{syscall.ENFILE, causeDescriptors},
	{net.ErrClosed, causeClosed},
	{websocket.ErrCloseSent, causeClosed},
	{io.ErrUnexpectedEOF, "connection broke off"},
	{io.EOF, causeEnd},
}

const (
	causeClosed      = "connection closed by us"
	causeReset       = "connection reset"
	causeDescriptors = "no file descriptor left"
)

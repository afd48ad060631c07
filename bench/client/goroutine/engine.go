// Package goroutine is the engine that runs a goroutine per session. It runs on every
// system, and is the only engine that supports TLS and webhooks.
//
// It owns the goroutines, their blocking connections, and the queue of publications. It
// must never know a message's content.
package goroutine

import (
	"context"
	"sync"

	"pushbench/bench/client"
	"pushbench/bench/clock"
)

// New returns the engine. A session without topics only publishes, to a server of any
// transport.
func New(config client.Config) client.Engine {
	config.SetDefaults()
	return &engine{Config: config}
}

type engine struct {
	client.Config
	pacing sync.WaitGroup
}

func (e *engine) Open(sub client.Subscription, sink client.Sink) client.Session {
	ctx, cancel := context.WithCancel(context.Background())
	s := &session{Subscriber: client.NewSubscriber(&e.Config, sub, sink, new(client.Scratch)), distance: e.Distance(sub, client.Downstream), cancel: cancel}
	switch {
	case s.Transport.Upgrades && !sub.Backend():
		socket := newSocket(s)
		s.Duplex, s.socket = socket, socket
		s.outbox = &outbox{session: s, send: socket.send, online: socket.online}
		if sub.Publishes && !s.PublishesInSocket() {
			s.outbox = newPoster(ctx, s)
		}
		s.start(ctx, socket.serve)
	case len(sub.Topics) == 0:
		s.outbox = newPoster(ctx, s)
	default:
		if sub.Publishes {
			s.outbox = newPoster(ctx, s)
		}
		s.start(ctx, s.serveFunc())
	}
	return s
}

// Workers returns the configured number: Go's scheduler assigns the threads.
func (e *engine) Workers() int { return e.Config.Workers }

func (e *engine) Pace(_ int, feed client.Feed) { client.PaceByGoroutine(&e.pacing, feed) }

func (e *engine) Close() { e.pacing.Wait() }

// serveFunc returns the function that receives over a plain HTTP transport.
func (s *session) serveFunc() func(context.Context) error {
	switch {
	case s.Transport.ServerDials:
		return (&receiver{session: s}).serve
	case s.Transport.Polls:
		return (&poller{session: s}).serve
	default:
		return s.stream
	}
}

// A session keeps one client subscribed until it is closed.
type session struct {
	client.Subscriber
	distance client.Distance // of the receiving connection
	outbox   *outbox
	socket   *socket // nil for other transports than WebSocket
	request  []byte  // buffer of the last request
	cancel   context.CancelFunc
	done     sync.WaitGroup
}

func (s *session) Publish(id uint32, topic string, payload []byte) {
	s.outbox.publish(id, topic, payload)
}

func (s *session) Close() {
	if s.outbox != nil {
		s.outbox.stop()
	}
	s.cancel()
	s.done.Wait()
	if s.outbox != nil {
		s.outbox.close()
	}
}

// open opens a connection to receive on.
func (s *session) open(ctx context.Context) (*conn, error) {
	c, err := dial(ctx, s.Config, &s.distance)
	if err == nil {
		s.Opened(c.openedAt, c.securedAt)
	}
	return c, err
}

// sendRequest sends the next request and receives its response.
func (s *session) sendRequest(c *conn) error {
	s.request = s.AppendRequest(s.request[:0], c)
	c.awaitResponse(s.ResponseTimeout())
	c.restTimeout = s.RestTimeout()
	if err := c.write(s.request); err != nil {
		return err
	}
	return c.receive(s)
}

// stream opens a stream and reads it to its end. Other requests may come before that of the stream.
func (s *session) stream(ctx context.Context) error {
	for {
		c, err := s.open(ctx)
		if err != nil {
			return err
		}
		err = s.sendRequest(c)
		for err == nil && !s.Streaming() && !s.Closes {
			err = s.sendRequest(c)
		}
		if err == nil && s.Streaming() {
			c.awaitBytes(s.Config.ReadTimeout)
			err = c.receive(s)
		}
		c.close()
		if err != nil {
			return err
		}
	}
}

// start calls serve again and again until the session is closed. serve connects, and receives
// until the connection ends. start reports each attempt and each end.
func (s *session) start(ctx context.Context, serve func(context.Context) error) {
	s.done.Go(func() {
		defer s.DiscardFragments()
		defer s.offline()
		for {
			s.Connecting(clock.Now())
			err := serve(ctx)
			if ctx.Err() != nil {
				return
			}
			now := clock.Now()
			next := now.Add(s.Disconnected(err, now))
			s.offline()
			if !clock.Wait(ctx, next) {
				return
			}
			s.Traffic.Reconnects.Add(1)
		}
	})
}

// offline closes the WebSocket, if the session has one.
func (s *session) offline() {
	if s.socket != nil {
		s.socket.offline()
	}
}

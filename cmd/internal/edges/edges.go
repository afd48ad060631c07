// Package edges assembles a server: the edge of one transport on its service, served
// until its context ends. The serve command and the tests with a server in their own
// process use it. It owns the table of the transports' edges and the servers' certificates;
// it must not know flags.
package edges

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"time"

	"pushbench/scenarios/transports"
	"pushbench/servers/httpstream"
	"pushbench/servers/longpoll"
	"pushbench/servers/shortpoll"
	"pushbench/servers/sse"
	"pushbench/servers/webhook"
	"pushbench/servers/websocket"
	"pushbench/servers/wire"
)

// New has the constructor of each transport's edge. The networks are those to which
// webhooks may post; the other edges dial no address.
var New = map[string]func(*wire.Service, []netip.Prefix) *wire.Edge{
	transports.ShortPoll:  func(s *wire.Service, _ []netip.Prefix) *wire.Edge { return shortpoll.New(s) },
	transports.LongPoll:   func(s *wire.Service, _ []netip.Prefix) *wire.Edge { return longpoll.New(s) },
	transports.SSE:        func(s *wire.Service, _ []netip.Prefix) *wire.Edge { return sse.New(s) },
	transports.HTTPStream: func(s *wire.Service, _ []netip.Prefix) *wire.Edge { return httpstream.New(s) },
	transports.WebSocket:  func(s *wire.Service, _ []netip.Prefix) *wire.Edge { return websocket.New(s) },
	transports.Webhook:    func(s *wire.Service, hooks []netip.Prefix) *wire.Edge { return webhook.New(s, hooks) },
}

// ShutdownLimit is how long a server may take to end; the last closingTime of it is to close the connections that are left.
const (
	ShutdownLimit = 5 * time.Second
	closingTime   = 500 * time.Millisecond
)

// Serve serves until ctx is done and then shuts down gracefully, for at most ShutdownLimit.
func Serve(ctx context.Context, edge *wire.Edge, ln net.Listener) error {
	served := make(chan error, 1)
	go func() { served <- edge.Serve(ln) }()
	select {
	case err := <-served:
		return fmt.Errorf("serve %s: %w", ln.Addr(), cmp.Or(err, net.ErrClosed)) // nil: another part of the process closed the listener
	case <-ctx.Done():
	}
	limit, cancel := context.WithTimeout(context.WithoutCancel(ctx), ShutdownLimit-closingTime)
	defer cancel()
	return errors.Join(edge.Shutdown(limit), <-served)
}

// Package inprocess keeps servers of ours in a test's own process, put together as the
// serve command does, so that the race detector sees both ends. It is for tests alone and
// must not measure.
package inprocess

import (
	"context"
	"crypto/tls"
	"net"
	"net/netip"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"pushbench/bench/client"
	"pushbench/bench/client/engines"
	"pushbench/cmd/internal/edges"
	"pushbench/servers/hub"
	"pushbench/servers/wire"
)

// A Server is one transport's, on a port of the loopback interface. Its zero value needs a
// Transport and a Stack.
type Server struct {
	Transport string
	Library   wire.Library
	Secured   *tls.Config // nil: cleartext
	Limits    wire.Limits

	Addr    string // host:port, once it is started
	Service *wire.Service

	t     testing.TB
	end   context.CancelFunc // nil while it is stopped
	ended chan error
}

// Start starts a server that the end of the test stops.
func Start(t testing.TB, s Server) *Server {
	t.Helper()
	s.t = t
	s.start(s.ownHost()+":0", 0)
	t.Cleanup(s.Stop)
	return &s
}

// started counts servers, so that each has an address of its own.
var started atomic.Uint32

// ownHost is a loopback address that no other server and no client of a test has, so that
// nothing can take the port while the server restarts. Only Linux has all of 127.0.0.0/8;
// a certificate is for the first address.
func (s *Server) ownHost() string {
	if runtime.GOOS != "linux" || s.Secured != nil {
		return "127.0.0.1"
	}
	n := started.Add(1)
	return netip.AddrFrom4([4]byte{127, 1, byte(n >> 8), byte(n)}).String()
}

func (s *Server) start(addr string, ring int) {
	s.t.Helper()
	ln, err := net.Listen("tcp", addr)
	if err != nil {
		s.t.Fatal(err)
	}
	s.Addr = ln.Addr().String()
	if s.Service, err = wire.New(s.Transport, s.Library, s.Limits, hub.Options{RingMessages: ring}); err != nil {
		s.t.Fatal(err)
	}
	s.Service.TLS = s.Secured
	ctx, cancel := context.WithCancel(context.Background())
	s.end, s.ended = cancel, make(chan error, 1)
	edge := edges.New[s.Transport](s.Service, []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")})
	go func() { s.ended <- edges.Serve(ctx, edge, ln) }()
}

// Restart starts it again at the same address, in a new epoch, with so many messages kept
// per topic; 0: the hub's default.
func (s *Server) Restart(ring int) {
	s.Stop()
	s.start(s.Addr, ring)
}

// Stop ends it in good order, and returns when it is gone.
func (s *Server) Stop() {
	s.t.Helper()
	if s.end == nil {
		return
	}
	s.end()
	s.end = nil
	select {
	case err := <-s.ended:
		if err != nil {
			s.t.Errorf("serve: %v", err)
		}
	case <-time.After(2 * edges.ShutdownLimit):
		s.t.Fatal("the server does not end")
	}
	s.Service.Close()
}

// OnEachStack runs a test on every library that the servers are built on.
func OnEachLibrary(t *testing.T, test func(*testing.T, wire.Library)) {
	for _, stack := range wire.Libraries {
		t.Run(string(stack), func(t *testing.T) { test(t, stack) })
	}
}

// OnEachEngine runs a test on every engine that this system has.
func OnEachEngine(t *testing.T, test func(*testing.T, func(client.Config) client.Engine)) {
	for _, name := range engines.Names() {
		t.Run(name, func(t *testing.T) { test(t, Engine(t, name)) })
	}
}

// Engine makes engines of a name, which the end of the test closes.
func Engine(t *testing.T, name string) func(client.Config) client.Engine {
	return func(c client.Config) client.Engine {
		engine, err := engines.New(name, c)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(engine.Close)
		return engine
	}
}

// Package inprocess runs pushbench's servers in a test's own process, assembled as in the
// serve command, so that the race detector sees both ends. It is only for tests and
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
	"pushbench/servers/faults"
	"pushbench/servers/hub"
	"pushbench/servers/wire"
)

// A Server is the server of one transport, on a port of the loopback interface. Transport and
// Library are required.
type Server struct {
	Transport string
	Library   wire.Library
	Secured   *tls.Config // nil: cleartext
	Limits    wire.Limits
	Faults    faults.Faults // default: none

	Addr    string // host:port, after the start
	Service *wire.Service

	t     testing.TB
	end   context.CancelFunc // nil while it is stopped
	ended chan error
}

// Start starts a server that is stopped at the end of the test.
func Start(t testing.TB, s Server) *Server {
	t.Helper()
	s.t = t
	s.start(s.ownHost()+":0", 0)
	t.Cleanup(s.Stop)
	return &s
}

// started counts servers, so that each has a unique address.
var started atomic.Uint32

// ownHost returns a loopback address that no other server and no client of a test uses, so that
// the port stays free while the server restarts. Only Linux has all of 127.0.0.0/8;
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
	if s.Faults != (faults.Faults{}) {
		s.Service.Inject(s.Faults)
	}
	ctx, cancel := context.WithCancel(context.Background())
	s.end, s.ended = cancel, make(chan error, 1)
	edge := edges.New[s.Transport](s.Service, []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")})
	go func() { s.ended <- edges.Serve(ctx, edge, ln) }()
}

// Restart restarts the server at the same address, in a new epoch, with a ring of the given number
// of messages per topic; 0: the hub's default.
func (s *Server) Restart(ring int) {
	s.Stop()
	s.start(s.Addr, ring)
}

// Stop shuts the server down gracefully and returns when it has ended.
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
		s.t.Fatal("the server does not end within twice its shutdown limit")
	}
	s.Service.Close()
}

// OnEachLibrary runs a test on every library of the servers.
func OnEachLibrary(t *testing.T, test func(*testing.T, wire.Library)) {
	for _, library := range wire.Libraries {
		t.Run(string(library), func(t *testing.T) { test(t, library) })
	}
}

// OnEachEngine runs a test on every engine of this system.
func OnEachEngine(t *testing.T, test func(*testing.T, func(client.Config) client.Engine)) {
	for _, name := range engines.Names() {
		t.Run(name, func(t *testing.T) { test(t, Engine(t, name)) })
	}
}

// Engine returns a constructor of engines, which are closed at the end of the test.
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

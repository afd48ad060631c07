package eventloop

import (
	"fmt"
	"net"
	"sync"

	"golang.org/x/sys/unix"

	"pushbench/bench/client"
	"pushbench/bench/clock"
)

// New returns the engine of event loops: each worker is a thread that waits for all of its
// sessions at once, and reads, parses, reports, writes and publishes for them itself. It
// never waits for Go's scheduler, which on a busy core can take milliseconds to run a
// goroutine that is ready. It requires Linux 5.11.
func New(config client.Config) (client.Engine, error) {
	config.SetDefaults()
	e := &engine{Config: config}
	address, family, err := resolve(config.Target)
	if err != nil {
		return nil, err
	}
	e.family = family
	for range config.Workers {
		l, err := newLoop(e)
		if err != nil {
			e.Close()
			return nil, err
		}
		l.in = make([]byte, readSize)
		l.address = address()
		e.loops = append(e.loops, l)
		e.running.Go(l.run)
	}
	return e, nil
}

type engine struct {
	client.Config
	family  int
	loops   []*loop
	running sync.WaitGroup
	closing sync.Once
}

func (e *engine) Workers() int { return len(e.loops) }

func (e *engine) Open(sub client.Subscription, sink client.Sink) client.Session {
	l := e.loops[sub.Worker%len(e.loops)]
	l.mu.Lock()
	defer l.unlock()
	s := newSession(l, sub, sink)
	s.start(clock.Now())
	return s
}

func (e *engine) Pace(worker int, feed client.Feed) {
	l := e.loops[worker]
	l.mu.Lock()
	defer l.unlock()
	l.feed, l.feedAt = feed, 0
}

func (e *engine) Close() { e.closing.Do(e.close) }

func (e *engine) close() {
	for _, l := range e.loops {
		l.mu.Lock()
		l.closed = true
		l.wake()
		l.mu.Unlock()
	}
	e.running.Wait()
	for _, l := range e.loops {
		l.release()
	}
}

// Supported reports whether this kernel has the system calls that a loop needs.
func Supported() bool {
	l, err := newLoop(nil)
	if err != nil {
		return false
	}
	l.release()
	return true
}

// resolve resolves a target once, so that no connection includes a lookup. address returns a
// new address for each loop, because connect writes into its argument.
func resolve(target string) (address func() unix.Sockaddr, family int, err error) {
	tcp, err := net.ResolveTCPAddr("tcp", target)
	if err != nil {
		return nil, 0, fmt.Errorf("resolve target: %w", err)
	}
	if tcp.Port == 0 {
		return nil, 0, fmt.Errorf("resolve target: %q has no port", target)
	}
	if tcp.IP == nil { // only a port: loopback
		tcp.IP = net.IPv4(127, 0, 0, 1)
	}
	if ip := tcp.IP.To4(); ip != nil {
		v4 := unix.SockaddrInet4{Port: tcp.Port, Addr: [4]byte(ip)}
		return func() unix.Sockaddr { a := v4; return &a }, unix.AF_INET, nil
	}
	v6 := unix.SockaddrInet6{Port: tcp.Port, Addr: [16]byte(tcp.IP.To16())}
	if tcp.Zone != "" {
		zone, err := net.InterfaceByName(tcp.Zone)
		if err != nil {
			return nil, 0, fmt.Errorf("resolve target: %w", err)
		}
		v6.ZoneId = uint32(zone.Index)
	}
	return func() unix.Sockaddr { a := v6; return &a }, unix.AF_INET6, nil
}

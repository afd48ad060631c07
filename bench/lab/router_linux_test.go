package lab

import (
	"errors"
	"net"
	"net/netip"
	"os"
	"testing"
	"time"
)

// withRouter creates a path with a router and carries packets on it.
func withRouter(t *testing.T, r Router) *Path {
	t.Helper()
	p, err := NewPath(&r)
	if err != nil {
		t.Fatal(err)
	}
	carry(t, p, Shape{})
	return p
}

// from opens a connection from a host to the near end.
func from(t *testing.T, p *Path, host netip.Addr, address string) net.Conn {
	t.Helper()
	var c net.Conn
	err := p.Far.Inside(func() (err error) {
		d := net.Dialer{LocalAddr: net.TCPAddrFromAddrPort(netip.AddrPortFrom(host, 0)), KeepAlive: -1}
		c, err = d.Dial("tcp4", address)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// Time limits for opening a connection. One that must open may meet a busy machine, which can
// cost a retransmission (1 s). One that must not open gets the time needed on an idle machine.
const longTimeout, shortTimeout = 10 * time.Second, 500 * time.Millisecond

// dial tries to connect from the near end to an address.
func dial(p *Path, address netip.AddrPort, within time.Duration) error {
	return p.Near.Inside(func() error {
		c, err := net.DialTimeout("tcp4", address.String(), within)
		if err == nil {
			c.Close()
		}
		return err
	})
}

// A server cannot connect to a host behind the router. A connection that the host has opened
// works in both directions.
func TestRouterRefusesConnectionsFromOutsideAsRoot(t *testing.T) {
	p := withRouter(t, Router{Hosts: 3})
	for n := range 3 { // each host has an address behind that of the router
		echoed(t, from(t, p, Host(n), listen(t, p)))
	}
	var inside net.Listener
	err := p.Far.Inside(func() (err error) {
		inside, err = net.Listen("tcp4", net.JoinHostPort(Host(0).String(), "0"))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	defer inside.Close()
	port := inside.Addr().(*net.TCPAddr).AddrPort().Port()
	for what, address := range map[string]netip.Addr{"the router's address": p.router.Address, "the host's own address": Host(0)} {
		if err := dial(p, netip.AddrPortFrom(address, port), shortTimeout); err == nil {
			t.Errorf("%s accepts a connection from outside", what)
		}
	}
}

// All hosts appear to the near end with the address of the router.
func TestRouterReplacesHostAddressesAsRoot(t *testing.T) {
	p := withRouter(t, Router{Hosts: 2})
	var ln net.Listener
	err := p.Near.Inside(func() (err error) {
		ln, err = net.Listen("tcp4", net.JoinHostPort(p.Near.Address.String(), "0"))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	for n := range 2 {
		from(t, p, Host(n), ln.Addr().String())
		c, err := ln.Accept()
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		if got := c.RemoteAddr().(*net.TCPAddr).AddrPort().Addr(); got != p.router.Address {
			t.Errorf("host %d has the address %v, want %v of the router", n, got, p.router.Address)
		}
	}
}

// A router that drops an idle connection notifies neither side.
func TestRouterDropsIdleConnectionsSilentlyAsRoot(t *testing.T) {
	const timeout = time.Second
	p := withRouter(t, Router{Hosts: 1, IdleTimeout: timeout})
	c := from(t, p, Host(0), listen(t, p))
	echoed(t, c)
	idle := time.NewTimer(2 * timeout)
	defer idle.Stop()
	<-idle.C
	if _, err := c.Write([]byte{1}); err != nil {
		t.Fatalf("write: %v, want no error", err)
	}
	if err := c.SetReadDeadline(time.Now().Add(2 * timeout)); err != nil {
		t.Fatal(err)
	}
	if n, err := c.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("read %d bytes, %v; want a timeout", n, err)
	}
	echoed(t, from(t, p, Host(0), c.RemoteAddr().String())) // a new connection works
}

// With one rule per host, each public port leads to its host, and all other connections are
// refused.
func TestRouterForwardsPortsAsRoot(t *testing.T) {
	const hosts = 3
	p := withRouter(t, Router{Hosts: hosts, PortForwarding: true})
	if p.ForwardingRules != hosts {
		t.Errorf("the router has %d forwarding rules, want %d", p.ForwardingRules, hosts)
	}
	for n := range hosts {
		inside, public := ForwardedPort(n)
		var l net.Listener
		err := p.Far.Inside(func() (err error) {
			l, err = net.Listen("tcp4", inside.String())
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		if err := dial(p, public, longTimeout); err != nil {
			t.Errorf("host %d, by its public port: %v", n, err)
			continue // no connection to accept
		}
		if err := l.(*net.TCPListener).SetDeadline(time.Now().Add(longTimeout)); err != nil {
			t.Fatal(err)
		}
		arrived, err := l.Accept()
		if err != nil {
			t.Fatal(err)
		}
		if at := arrived.LocalAddr().String(); at != inside.String() {
			t.Errorf("the public port of host %d leads to %s", n, at)
		}
		arrived.Close()
		if err := dial(p, inside, shortTimeout); err == nil {
			t.Errorf("host %d was reached without its public port", n)
		}
	}
	if _, beyond := ForwardedPort(hosts); dial(p, beyond, shortTimeout) == nil {
		t.Error("a port without a rule accepts a connection")
	}
	echoed(t, from(t, p, Host(0), listen(t, p)))
}

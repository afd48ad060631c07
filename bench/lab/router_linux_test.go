package lab

import (
	"errors"
	"net"
	"net/netip"
	"os"
	"testing"
	"time"
)

// behind makes a router with hosts and carries packets to it.
func behind(t *testing.T, r Router) *Path {
	t.Helper()
	p, err := NewPath(&r)
	if err != nil {
		t.Fatal(err)
	}
	carried(t, p, Shape{})
	return p
}

// from is a connection of a host's to the near end.
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

// How long a connection may take to open: one that must open may find a busy machine, which
// can cost it a retransmission (1 s); one that must not is given what a quiet one takes.
const patient, brief = 10 * time.Second, 500 * time.Millisecond

// reaches says whether a connection from the near end to an address is opened in time.
func reaches(p *Path, address netip.AddrPort, within time.Duration) error {
	return p.Near.Inside(func() error {
		c, err := net.DialTimeout("tcp4", address.String(), within)
		if err == nil {
			c.Close()
		}
		return err
	})
}

// A server in network A cannot dial a computer in network B, and a connection that the
// computer has opened works both ways.
func TestARouterLetsNobodyInAsRoot(t *testing.T) {
	p := behind(t, Router{Hosts: 3})
	for n := range 3 { // each has its address, and comes from the router's
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
		if err := reaches(p, netip.AddrPortFrom(address, port), brief); err == nil {
			t.Errorf("%s can be dialled from outside", what)
		}
	}
}

// What the near end sees of all hosts is one address.
func TestARouterGivesItsAddressAsRoot(t *testing.T) {
	p := behind(t, Router{Hosts: 2})
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
			t.Errorf("host %d comes from %v, want the router's %v", n, got, p.router.Address)
		}
	}
}

// A router that forgets what is quiet takes it away from both sides, and tells neither.
func TestARouterForgetsAsRoot(t *testing.T) {
	const forget = time.Second
	p := behind(t, Router{Hosts: 1, Forget: forget})
	c := from(t, p, Host(0), listen(t, p))
	echoed(t, c)
	quiet := time.NewTimer(2 * forget)
	defer quiet.Stop()
	<-quiet.C
	if _, err := c.Write([]byte{1}); err != nil {
		t.Fatalf("writing fails with %v; nobody was to tell", err)
	}
	if err := c.SetReadDeadline(time.Now().Add(2 * forget)); err != nil {
		t.Fatal(err)
	}
	if n, err := c.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("read %d bytes, %v; want silence", n, err)
	}
	echoed(t, from(t, p, Host(0), c.RemoteAddr().String())) // a new one is let out
}

// With a rule for each host, who asks for a host's door is led to that host and no other,
// and nobody is let in elsewhere.
func TestARouterWithDoorsAsRoot(t *testing.T) {
	const hosts = 3
	p := behind(t, Router{Hosts: hosts, Doors: true})
	if p.Doors != hosts {
		t.Errorf("the router has %d rules that let somebody in, want %d", p.Doors, hosts)
	}
	for n := range hosts {
		inside, door := Door(n)
		var l net.Listener
		err := p.Far.Inside(func() (err error) {
			l, err = net.Listen("tcp4", inside.String())
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		if err := reaches(p, door, patient); err != nil {
			t.Errorf("host %d, which listens, by its door: %v", n, err)
			continue // nothing is there to accept
		}
		if err := l.(*net.TCPListener).SetDeadline(time.Now().Add(patient)); err != nil {
			t.Fatal(err)
		}
		came, err := l.Accept()
		if err != nil {
			t.Fatal(err)
		}
		if at := came.LocalAddr().String(); at != inside.String() {
			t.Errorf("the door of host %d leads to %s", n, at)
		}
		came.Close()
		if err := reaches(p, inside, brief); err == nil {
			t.Errorf("host %d was reached past its door", n)
		}
	}
	if _, beyond := Door(hosts); reaches(p, beyond, brief) == nil {
		t.Error("a door that is not there was opened")
	}
	echoed(t, from(t, p, Host(0), listen(t, p)))
}

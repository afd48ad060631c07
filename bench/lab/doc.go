// Package lab creates small networks inside this machine: a Path whose packets have the
// delay, loss and rate of its Shape.
//
// It owns its network namespaces and their devices, and removes them again. It must not touch
// an interface that it did not create, or depend on the content of packets.
package lab

import (
	"net/netip"
	"time"
)

// The two ends of the link, from the address block reserved for benchmarks (RFC 2544,
// appendix C.2.2). Namespaces isolate paths from each other.
var near, far = netip.MustParsePrefix("198.18.0.1/30"), netip.MustParsePrefix("198.18.0.2/30")

// A Router connects the hosts of a network to the link.
type Router struct {
	Hosts          int           // behind the router
	PortForwarding bool          // one port forwarding rule per host: see ForwardedPort
	IdleTimeout    time.Duration // after which the router drops an idle connection, in whole seconds; 0: longer than any run
}

// listenPort is the port on which a host listens; firstPublicPort is the port of the router
// that is forwarded to the first host.
const listenPort, firstPublicPort = 8000, 20_000

// ForwardedPort returns the address on which a host behind the router, from 0, listens, and
// the public address that the router forwards to it if it has a rule.
func ForwardedPort(n int) (listen, public netip.AddrPort) {
	return netip.AddrPortFrom(Host(n), listenPort), netip.AddrPortFrom(far.Addr(), firstPublicPort+uint16(n))
}

// Outer returns the network of the link itself: the near end, and the far end or the router
// in front of it.
func Outer() netip.Prefix { return near.Masked() }

// FarAddress returns the address of a far end without a router.
func FarAddress() netip.Addr { return far.Addr() }

// insidePrefix is the inside address of the router (RFC 1918), and the network of its hosts.
var insidePrefix = netip.MustParsePrefix("10.99.0.1/16")

// Host returns the address of a host behind the router, from 0.
func Host(n int) netip.Addr {
	const first = 0x100 // reserves addresses for the router
	at := insidePrefix.Addr().As4()
	n += first
	return netip.AddrFrom4([4]byte{at[0], at[1], byte(n >> 8), byte(n)})
}

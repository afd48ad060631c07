// Package lab makes small networks inside this machine: a Path, whose packets are as late
// and as many as its Shape says.
//
// It owns namespaces and what joins them, and takes them away again. It
// must never touch an interface that it did not make, nor know what is sent.
package lab

import (
	"net/netip"
	"time"
)

// The two ends of the link, from the block that is set aside for benchmarks (RFC 2544,
// appendix C.2.2). No other path is in sight of a path's namespaces.
var near, far = netip.MustParsePrefix("198.18.0.1/30"), netip.MustParsePrefix("198.18.0.2/30")

// A Router stands before the hosts of a network.
type Router struct {
	Hosts  int           // behind it
	Doors  bool          // it has a rule for each host that lets in who asks for its Door
	Forget time.Duration // how long a connection may be quiet before it forgets it, in whole seconds; 0: longer than any run
}

// doorPort is where a host listens for who comes through its door; firstDoor is the
// router's port that leads to the first host's.
const doorPort, firstDoor = 8000, 20_000

// Door is where a host behind the router, from 0, listens for who dials it, and where
// from outside it can be found if the router has a rule for that.
func Door(n int) (listen, known netip.AddrPort) {
	return netip.AddrPortFrom(Host(n), doorPort), netip.AddrPortFrom(far.Addr(), firstDoor+uint16(n))
}

// Outer is the network of the link itself: of the near end, and of the far end or the
// router before it.
func Outer() netip.Prefix { return near.Masked() }

// FarAddress is that of the far end where it has one only.
func FarAddress() netip.Addr { return far.Addr() }

// insidePrefix is the router's address to the hosts behind it (RFC 1918), and their network.
var insidePrefix = netip.MustParsePrefix("10.99.0.1/16")

// Host is the address of a host behind the router, from 0.
func Host(n int) netip.Addr {
	const first = 0x100 // leaves some to the router
	at := insidePrefix.Addr().As4()
	n += first
	return netip.AddrFrom4([4]byte{at[0], at[1], byte(n >> 8), byte(n)})
}

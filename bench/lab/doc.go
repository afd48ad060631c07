// Package lab makes small networks inside this machine: a Link, whose interfaces count
// what crosses it, and a Path, whose packets are as late and as many as its Shape says.
//
// It owns namespaces and what joins them, and takes them away again. It
// must never touch an interface that it did not make, nor know what is sent.
package lab

import (
	"net/netip"
	"time"
)

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
	_, router := ends(0)
	return netip.AddrPortFrom(Host(n), doorPort), netip.AddrPortFrom(router.Addr(), firstDoor+uint16(n))
}

// Outer is the network of the link itself: of the near end, and of the far end or the
// router before it.
func Outer() netip.Prefix {
	near, _ := ends(0)
	return near.Masked()
}

// FarAddress is that of the far end where it has one only.
func FarAddress() netip.Addr {
	_, far := ends(0)
	return far.Addr()
}

// Counters are what crossed a link, as the interface at our end counted it:
// whole Ethernet frames, headers included.
type Counters struct {
	Up, Down Direction // up: from us into the namespace
}

// A Direction is one direction of a link.
type Direction struct{ Bytes, Packets int64 }

// EthernetHeader is what an interface counts of each frame beside the IP packet, in bytes.
const EthernetHeader = 14

// ends are the two addresses of the n-th link, from the block that is set aside
// for benchmarks (RFC 2544, appendix C.2.2): 198.18.0.0/15 has 32768 links of four addresses.
func ends(n int) (ours, theirs netip.Prefix) {
	const links, bits = 1 << 15, 30
	first := uint32(198)<<24 | uint32(18)<<16 | uint32(n%links)<<2
	at := func(a uint32) netip.Prefix {
		return netip.PrefixFrom(netip.AddrFrom4([4]byte{byte(a >> 24), byte(a >> 16), byte(a >> 8), byte(a)}), bits)
	}
	return at(first + 1), at(first + 2)
}

package lab

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"strconv"
	"time"

	"github.com/google/nftables"
	"github.com/google/nftables/binaryutil"
	"github.com/google/nftables/expr"
	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"
)

// NewPathBehindRouter makes a Path whose far end is a network of hosts behind a router,
// as in a home or an office. The router gives what they open its own address
// (masquerade), lets in what belongs to that, and drops all else, be it for the hosts or
// for itself. It needs what NewPath needs.
func NewPathBehindRouter(r Router) (*Path, error) {
	near, far := ends(0)
	p := &Path{
		Near:   End{Address: near.Addr(), namespace: netns.None()},
		Far:    End{Address: host(0), namespace: netns.None()},
		router: End{Address: far.Addr(), namespace: netns.None()},
	}
	for _, step := range []func() error{
		func() error { return p.Near.make(near.Bits()) },
		func() error { return p.router.make(far.Bits()) },
		func() error { return p.furnish(r.Hosts) },
		func() error { return p.guard(r) },
	} {
		if err := step(); err != nil {
			return nil, errors.Join(err, p.Close())
		}
	}
	p.Far.device, p.router.device = p.router.device, nil // the link ends at the router
	return p, nil
}

// The router's interface to the hosts, and its address there (RFC 1918). Theirs is
// called as any end's.
const insideName = "inside"

var insidePrefix = netip.MustParsePrefix("10.99.0.1/16")

// host is the address of a host behind the router.
func host(n int) netip.Addr {
	const first = 0x100 // leaves some to the router
	at := insidePrefix.Masked().Addr().As4()
	n += first
	return netip.AddrFrom4([4]byte{at[0], at[1], byte(n >> 8), byte(n)})
}

// Host is the address of a host behind the router, from 0.
func Host(n int) netip.Addr { return host(n) }

// furnish makes the hosts, in one namespace, each with its address, and a wire from there
// to the router.
func (p *Path) furnish(hosts int) (err error) {
	if p.Far.namespace, err = newNamespace(); err != nil {
		return explained("make a network namespace", err)
	}
	if err := p.router.Inside(func() error { return wireInside(p.Far.namespace) }); err != nil {
		return explained("make a veth pair behind the router", err)
	}
	return explainedIf("give the hosts their addresses", p.Far.Inside(func() error { return populate(hosts) }))
}

func explainedIf(doing string, err error) error {
	if err == nil {
		return nil
	}
	return explained(doing, err)
}

// wireInside makes the wire, in the router's namespace.
func wireInside(there netns.NsHandle) error {
	h, err := netlink.NewHandle()
	if err != nil {
		return err
	}
	defer h.Close()
	attributes := netlink.NewLinkAttrs()
	attributes.Name, attributes.MTU, attributes.TxQLen = insideName, mtu, queueLength
	wire := &netlink.Veth{LinkAttrs: attributes, PeerName: deviceName, PeerMTU: mtu, PeerTxQLen: queueLength, PeerNamespace: netlink.NsFd(int(there))}
	if err := h.LinkAdd(wire); err != nil {
		return err
	}
	return errors.Join(silence(insideName), h.AddrAdd(wire, addressOf(insidePrefix)), h.LinkSetUp(wire))
}

func addressOf(p netip.Prefix) *netlink.Addr {
	return &netlink.Addr{IPNet: &net.IPNet{IP: p.Addr().AsSlice(), Mask: net.CIDRMask(p.Bits(), p.Addr().BitLen())}}
}

// populate gives the hosts' end its addresses, and the way out.
func populate(hosts int) error {
	h, err := netlink.NewHandle()
	if err != nil {
		return err
	}
	defer h.Close()
	device, err := h.LinkByName(deviceName)
	if err != nil {
		return err
	}
	loopback, err := h.LinkByName("lo")
	if err != nil {
		return err
	}
	for n := range hosts {
		if err := h.AddrAdd(device, addressOf(netip.PrefixFrom(host(n), insidePrefix.Bits()))); err != nil {
			return fmt.Errorf("host %d: %w", n, err)
		}
	}
	if err := errors.Join(silence(deviceName), h.LinkSetUp(device), h.LinkSetUp(loopback)); err != nil {
		return err
	}
	return h.RouteAdd(&netlink.Route{LinkIndex: device.Attrs().Index, Gw: insidePrefix.Addr().AsSlice()})
}

// guard makes a router of the router.
func (p *Path) guard(r Router) error {
	if err := p.router.Inside(func() (err error) {
		p.Doors, err = filter(r)
		return err
	}); err != nil {
		return explained("set up the router's filter (nf_tables, with NAT and connection tracking)", err)
	}
	return explainedIf("set up the router", p.router.Inside(func() error {
		const ip = "/proc/sys/net/ipv4/ip_forward"
		const tracking = "/proc/sys/net/netfilter/nf_conntrack_"
		settings := map[string]string{
			ip: "1",
			// What comes in the middle of a connection that was forgotten is no new one: what
			// a router does that has restarted, or whose table has no room for what is quiet.
			tracking + "tcp_loose": "0",
		}
		if r.Forget > 0 {
			settings[tracking+"tcp_timeout_established"] = strconv.Itoa(int(r.Forget / time.Second))
		}
		var failed []error
		for file, value := range settings {
			failed = append(failed, os.WriteFile(file, []byte(value), 0))
		}
		return errors.Join(failed...)
	}))
}

// filter gives the router its rules, from inside: to have the library enter the
// namespace is to have it go back, which no ordinary user may. Those for itself drop what would otherwise be
// refused: its address is where the hosts' connections seem to come from, and a
// connection that it has forgotten is to go dead, not to be reset. It returns how many rules
// the kernel says let somebody in.
func filter(r Router) (doors int, err error) {
	c, err := nftables.New()
	if err != nil {
		return 0, err
	}
	table := c.AddTable(&nftables.Table{Family: nftables.TableFamilyIPv4, Name: "pushbench"})
	drop := nftables.ChainPolicyDrop
	chain := func(name string, kind nftables.ChainType, hook *nftables.ChainHook, priority *nftables.ChainPriority, policy *nftables.ChainPolicy) *nftables.Chain {
		return c.AddChain(&nftables.Chain{Name: name, Table: table, Type: kind, Hooknum: hook, Priority: priority, Policy: policy})
	}
	forward := chain("forward", nftables.ChainTypeFilter, nftables.ChainHookForward, nftables.ChainPriorityFilter, &drop)
	input := chain("input", nftables.ChainTypeFilter, nftables.ChainHookInput, nftables.ChainPriorityFilter, &drop)
	leaving := chain("leaving", nftables.ChainTypeNAT, nftables.ChainHookPostrouting, nftables.ChainPriorityNATSource, nil)
	rule := func(of *nftables.Chain, parts ...[]expr.Any) {
		var all []expr.Any
		for _, part := range parts {
			all = append(all, part...)
		}
		c.AddRule(&nftables.Rule{Table: table, Chain: of, Exprs: all})
	}
	accept := []expr.Any{&expr.Verdict{Kind: expr.VerdictAccept}}
	known := state(expr.CtStateBitESTABLISHED | expr.CtStateBitRELATED)
	rule(forward, known, accept)
	rule(forward, through(expr.MetaKeyIIFNAME, insideName), state(expr.CtStateBitNEW), accept)
	rule(input, known, accept)
	rule(leaving, through(expr.MetaKeyOIFNAME, deviceName), []expr.Any{&expr.Masq{}})
	coming := chain("coming", nftables.ChainTypeNAT, nftables.ChainHookPrerouting, nftables.ChainPriorityNATDest, nil)
	if r.Doors {
		rule(forward, translated(), accept)
		for n := range r.Hosts {
			rule(coming, through(expr.MetaKeyIIFNAME, deviceName), door(n))
		}
	}
	if err := c.Flush(); err != nil {
		return 0, err
	}
	rules, err := c.GetRules(table, coming)
	return len(rules), err
}

// translated matches what a door has given another destination.
func translated() []expr.Any {
	const destination = 1 << 5 // IPS_DST_NAT, linux/netfilter/nf_conntrack_common.h
	none := binaryutil.NativeEndian.PutUint32(0)
	return []expr.Any{
		&expr.Ct{Register: 1, Key: expr.CtKeySTATUS},
		&expr.Bitwise{SourceRegister: 1, DestRegister: 1, Len: 4, Mask: binaryutil.NativeEndian.PutUint32(destination), Xor: none},
		&expr.Cmp{Op: expr.CmpOpNeq, Register: 1, Data: none},
	}
}

// door leads who asks for a host's door to the host.
func door(n int) []expr.Any {
	listen, known := Door(n)
	address := listen.Addr().As4()
	const destinationPort, portSize = 2, 2 // in a TCP header
	return []expr.Any{
		&expr.Meta{Key: expr.MetaKeyL4PROTO, Register: 1},
		&expr.Cmp{Op: expr.CmpOpEq, Register: 1, Data: []byte{unix.IPPROTO_TCP}},
		&expr.Payload{DestRegister: 1, Base: expr.PayloadBaseTransportHeader, Offset: destinationPort, Len: portSize},
		&expr.Cmp{Op: expr.CmpOpEq, Register: 1, Data: binaryutil.BigEndian.PutUint16(known.Port())},
		&expr.Immediate{Register: 1, Data: address[:]},
		&expr.Immediate{Register: 2, Data: binaryutil.BigEndian.PutUint16(listen.Port())},
		&expr.NAT{Type: expr.NATTypeDestNAT, Family: unix.NFPROTO_IPV4, RegAddrMin: 1, RegProtoMin: 2},
	}
}

// state matches what connection tracking says of a packet.
func state(bits uint32) []expr.Any {
	none := binaryutil.NativeEndian.PutUint32(0)
	return []expr.Any{
		&expr.Ct{Register: 1, Key: expr.CtKeySTATE},
		&expr.Bitwise{SourceRegister: 1, DestRegister: 1, Len: 4, Mask: binaryutil.NativeEndian.PutUint32(bits), Xor: none},
		&expr.Cmp{Op: expr.CmpOpNeq, Register: 1, Data: none},
	}
}

// through matches the interface that a packet comes in or goes out by.
func through(way expr.MetaKey, name string) []expr.Any {
	const nameSize = 16 // IFNAMSIZ
	padded := make([]byte, nameSize)
	copy(padded, name)
	return []expr.Any{&expr.Meta{Key: way, Register: 1}, &expr.Cmp{Op: expr.CmpOpEq, Register: 1, Data: padded}}
}

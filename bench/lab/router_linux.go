package lab

import (
	"errors"
	"net/netip"
	"os"
	"slices"
	"strconv"
	"time"

	"github.com/google/nftables"
	"github.com/google/nftables/binaryutil"
	"github.com/google/nftables/expr"
	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"
)

// makeRouter makes the far end a network of hosts behind a router, as in a home or an
// office. The router gives what they open its own address (masquerade), lets in what
// belongs to that, and drops all else, be it for the hosts or for itself.
func (p *Path) makeRouter(r Router) (err error) {
	p.Far.Address = Host(0)
	if err := p.router.make(); err != nil {
		return err
	}
	if p.Far.namespace, err = newNamespace(); err != nil {
		return err
	}
	if err := p.router.Inside(func() error { return wireInside(p.Far.namespace) }); err != nil {
		return explained("make a veth pair behind the router", err)
	}
	if err := p.Far.Inside(func() error { return populate(r.Hosts) }); err != nil {
		return explained("give the hosts their addresses", err)
	}
	p.Far.Device, p.router.Device = p.router.Device, nil // the link ends at the router
	return p.router.Inside(func() error { return p.guard(r) })
}

// insideName is the router's interface to the hosts. Theirs is called as any end's.
const insideName = "inside"

// wireInside makes a wire from the router's namespace to the hosts'.
func wireInside(there netns.NsHandle) error {
	attributes := netlink.NewLinkAttrs()
	attributes.Name = insideName
	if err := netlink.LinkAdd(&netlink.Veth{LinkAttrs: attributes, PeerName: deviceName, PeerNamespace: netlink.NsFd(int(there))}); err != nil {
		return err
	}
	_, err := setUp(insideName, insidePrefix)
	return err
}

// populate gives the hosts' end its addresses, and the way out.
func populate(hosts int) error {
	var addresses []netip.Prefix
	for n := range hosts {
		addresses = append(addresses, netip.PrefixFrom(Host(n), insidePrefix.Bits()))
	}
	device, err := setUp(deviceName, addresses...)
	if err != nil {
		return err
	}
	return netlink.RouteAdd(&netlink.Route{LinkIndex: device.Attrs().Index, Gw: insidePrefix.Addr().AsSlice()})
}

// guard makes a router of the router, from inside.
func (p *Path) guard(r Router) (err error) {
	if p.Doors, err = filter(r); err != nil {
		return explained("set up the router's filter (nf_tables, with NAT and connection tracking)", err)
	}
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
	for file, value := range settings {
		err = errors.Join(err, os.WriteFile(file, []byte(value), 0))
	}
	return explained("set up the router", err)
}

// filter gives the router its rules, from inside: to have the library enter the
// namespace is to have it go back, which no ordinary user may. Those for itself drop what
// would otherwise be refused: its address is where the hosts' connections seem to come from,
// and a connection that it has forgotten must go dead, not be reset. It returns how many
// rules that let connections in the kernel reports.
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
		c.AddRule(&nftables.Rule{Table: table, Chain: of, Exprs: slices.Concat(parts...)})
	}
	accept := []expr.Any{&expr.Verdict{Kind: expr.VerdictAccept}}
	known := tracked(expr.CtKeySTATE, expr.CtStateBitESTABLISHED|expr.CtStateBitRELATED)
	rule(forward, known, accept)
	rule(forward, through(expr.MetaKeyIIFNAME, insideName), tracked(expr.CtKeySTATE, expr.CtStateBitNEW), accept)
	rule(input, known, accept)
	rule(leaving, through(expr.MetaKeyOIFNAME, deviceName), []expr.Any{&expr.Masq{}})
	coming := chain("coming", nftables.ChainTypeNAT, nftables.ChainHookPrerouting, nftables.ChainPriorityNATDest, nil)
	if r.Doors {
		const translated = 1 << 5 // IPS_DST_NAT, linux/netfilter/nf_conntrack_common.h: its destination was changed by a door
		rule(forward, tracked(expr.CtKeySTATUS, translated), accept)
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

// tracked matches packets of which connection tracking reports one of the bits.
func tracked(key expr.CtKey, bits uint32) []expr.Any {
	none := binaryutil.NativeEndian.PutUint32(0)
	return []expr.Any{
		&expr.Ct{Register: 1, Key: key},
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

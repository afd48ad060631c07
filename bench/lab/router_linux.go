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

// makeRouter makes the far end a network of hosts behind a router, as in a home or an office.
// The router replaces the source address of their connections by its own (masquerade),
// accepts packets of these connections, and drops all others, for the hosts and for itself.
func (p *Path) makeRouter(r Router) (err error) {
	p.Far.Address = Host(0)
	if err := p.router.make(); err != nil {
		return err
	}
	if p.Far.namespace, err = newNamespace(); err != nil {
		return err
	}
	if err := p.router.Inside(func() error { return addVeth(p.Far.namespace) }); err != nil {
		return withHint("create a veth pair behind the router", err)
	}
	if err := p.Far.Inside(func() error { return addHosts(r.Hosts) }); err != nil {
		return withHint("assign the addresses of the hosts", err)
	}
	p.Far.Device, p.router.Device = p.router.Device, nil // the link ends at the router
	return p.router.Inside(func() error { return p.configure(r) })
}

// insideName is the interface of the router to the hosts. The hosts use deviceName.
const insideName = "inside"

// addVeth connects the namespace of the router to that of the hosts.
func addVeth(there netns.NsHandle) error {
	attributes := netlink.NewLinkAttrs()
	attributes.Name = insideName
	if err := netlink.LinkAdd(&netlink.Veth{LinkAttrs: attributes, PeerName: deviceName, PeerNamespace: netlink.NsFd(int(there))}); err != nil {
		return err
	}
	_, err := setUp(insideName, insidePrefix)
	return err
}

// addHosts adds the addresses and the default route of the hosts.
func addHosts(hosts int) error {
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

// configure sets up the router. It runs in the namespace of the router.
func (p *Path) configure(r Router) (err error) {
	if p.ForwardingRules, err = filter(r); err != nil {
		return withHint("set up the packet filter of the router (nf_tables, with NAT and connection tracking)", err)
	}
	const ip = "/proc/sys/net/ipv4/ip_forward"
	const tracking = "/proc/sys/net/netfilter/nf_conntrack_"
	settings := map[string]string{
		ip: "1",
		// A packet of a dropped connection does not create a new one: like a router that has
		// restarted, or whose table has no room for idle connections.
		tracking + "tcp_loose": "0",
	}
	if r.IdleTimeout > 0 {
		settings[tracking+"tcp_timeout_established"] = strconv.Itoa(int(r.IdleTimeout / time.Second))
	}
	for file, value := range settings {
		err = errors.Join(err, os.WriteFile(file, []byte(value), 0))
	}
	return withHint("set up the router", err)
}

// filter adds the rules of the router. It runs in the namespace of the router: if the library
// entered the namespace, it would have to return, which needs privileges. The input rules
// drop packets that would otherwise cause a reset: the connections of the hosts have the
// address of the router, and a dropped connection must stay silent. filter returns the
// number of port forwarding rules that the kernel reports.
func filter(r Router) (forwarding int, err error) {
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
	postrouting := chain("postrouting", nftables.ChainTypeNAT, nftables.ChainHookPostrouting, nftables.ChainPriorityNATSource, nil)
	rule := func(target *nftables.Chain, parts ...[]expr.Any) {
		c.AddRule(&nftables.Rule{Table: table, Chain: target, Exprs: slices.Concat(parts...)})
	}
	accept := []expr.Any{&expr.Verdict{Kind: expr.VerdictAccept}}
	established := tracked(expr.CtKeySTATE, expr.CtStateBitESTABLISHED|expr.CtStateBitRELATED)
	rule(forward, established, accept)
	rule(forward, through(expr.MetaKeyIIFNAME, insideName), tracked(expr.CtKeySTATE, expr.CtStateBitNEW), accept)
	rule(input, established, accept)
	rule(postrouting, through(expr.MetaKeyOIFNAME, deviceName), []expr.Any{&expr.Masq{}})
	prerouting := chain("prerouting", nftables.ChainTypeNAT, nftables.ChainHookPrerouting, nftables.ChainPriorityNATDest, nil)
	if r.PortForwarding {
		const translated = 1 << 5 // IPS_DST_NAT, linux/netfilter/nf_conntrack_common.h: a forwarding rule changed the destination
		rule(forward, tracked(expr.CtKeySTATUS, translated), accept)
		for n := range r.Hosts {
			rule(prerouting, through(expr.MetaKeyIIFNAME, deviceName), forwardRule(n))
		}
	}
	if err := c.Flush(); err != nil {
		return 0, err
	}
	rules, err := c.GetRules(table, prerouting)
	return len(rules), err
}

// forwardRule forwards the public port of a host to the host.
func forwardRule(n int) []expr.Any {
	listen, public := ForwardedPort(n)
	address := listen.Addr().As4()
	const destinationPort, portSize = 2, 2 // in a TCP header
	return []expr.Any{
		&expr.Meta{Key: expr.MetaKeyL4PROTO, Register: 1},
		&expr.Cmp{Op: expr.CmpOpEq, Register: 1, Data: []byte{unix.IPPROTO_TCP}},
		&expr.Payload{DestRegister: 1, Base: expr.PayloadBaseTransportHeader, Offset: destinationPort, Len: portSize},
		&expr.Cmp{Op: expr.CmpOpEq, Register: 1, Data: binaryutil.BigEndian.PutUint16(public.Port())},
		&expr.Immediate{Register: 1, Data: address[:]},
		&expr.Immediate{Register: 2, Data: binaryutil.BigEndian.PutUint16(listen.Port())},
		&expr.NAT{Type: expr.NATTypeDestNAT, Family: unix.NFPROTO_IPV4, RegAddrMin: 1, RegProtoMin: 2},
	}
}

// tracked matches packets for which connection tracking reports one of the bits.
func tracked(key expr.CtKey, bits uint32) []expr.Any {
	none := binaryutil.NativeEndian.PutUint32(0)
	return []expr.Any{
		&expr.Ct{Register: 1, Key: key},
		&expr.Bitwise{SourceRegister: 1, DestRegister: 1, Len: 4, Mask: binaryutil.NativeEndian.PutUint32(bits), Xor: none},
		&expr.Cmp{Op: expr.CmpOpNeq, Register: 1, Data: none},
	}
}

// through matches the input or output interface of a packet.
func through(direction expr.MetaKey, name string) []expr.Any {
	const nameSize = 16 // IFNAMSIZ
	padded := make([]byte, nameSize)
	copy(padded, name)
	return []expr.Any{&expr.Meta{Key: direction, Register: 1}, &expr.Cmp{Op: expr.CmpOpEq, Register: 1, Data: padded}}
}

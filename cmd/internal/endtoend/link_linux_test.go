package endtoend

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/netip"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/vishvananda/netlink"

	"pushbench/bench/calibrate"
	"pushbench/bench/lab"
	"pushbench/results"
)

// A link is a connection into a network namespace: a pair of virtual Ethernet interfaces, one here
// and one at the far end of a path, without other traffic. A process has one at a time.
type link struct {
	farPrefix netip.Prefix // the address of the far end
	name      string       // of the near end
	path      *lab.Path
}

func newLink(t *testing.T) *link {
	t.Helper()
	l := &link{name: fmt.Sprintf("pb%d", os.Getpid())}
	var err error
	if l.path, err = lab.NewPath(nil); err != nil {
		t.Fatal(err)
	}
	if err := l.build(); err != nil {
		l.close(t)
		t.Fatalf("make a veth pair: %v", err)
	}
	return l
}

// build creates the interfaces without other traffic: neighbour addresses are static, so that
// there is no address resolution, and IPv6 is off.
func (l *link) build() error {
	namespace, err := l.path.Far.Namespace()
	if err != nil {
		return err
	}
	defer namespace.Close()
	attributes := netlink.NewLinkAttrs()
	attributes.Name = l.name
	if err := netlink.LinkAdd(&netlink.Veth{LinkAttrs: attributes, PeerName: l.name, PeerNamespace: netlink.NsFd(int(namespace.Fd()))}); err != nil {
		return err
	}
	var nearPrefix netip.Prefix
	nearPrefix, l.farPrefix = linkEnds(os.Getpid())
	near, err := bringUp(l.name, nearPrefix)
	if err != nil {
		return err
	}
	var far netlink.Link
	err = l.path.Far.Inside(func() (err error) {
		if far, err = bringUp(l.name, l.farPrefix); err != nil {
			return err
		}
		return errors.Join(disableLossProbes(), setNeighbour(far, nearPrefix.Addr(), near))
	})
	if err != nil {
		return err
	}
	return setNeighbour(near, l.farPrefix.Addr(), far)
}

// linkEnds returns the two addresses of the n-th link, from the block that is reserved for
// benchmarks (RFC 2544, appendix C.2.2), of which a path uses the first half:
// 198.19.0.0/16 has 16384 links of four addresses.
func linkEnds(n int) (nearPrefix, farPrefix netip.Prefix) {
	const links, bits = 1 << 14, 30
	first := n % links * 4
	at := func(host int) netip.Prefix {
		return netip.PrefixFrom(netip.AddrFrom4([4]byte{198, 19, byte(host >> 8), byte(host)}), bits)
	}
	return at(first + 1), at(first + 2)
}

// bringUp brings one end up, in the namespace of the caller. Segmentation offload is off, because
// the device would count several segments as one, with one header.
func bringUp(name string, address netip.Prefix) (netlink.Link, error) {
	if err := os.WriteFile("/proc/sys/net/ipv6/conf/"+name+"/disable_ipv6", []byte("1"), 0); err != nil && !errors.Is(err, fs.ErrNotExist) { // else the kernel has no IPv6
		return nil, err
	}
	device, err := netlink.LinkByName(name)
	if err != nil {
		return nil, err
	}
	ip := &netlink.Addr{IPNet: &net.IPNet{IP: address.Addr().AsSlice(), Mask: net.CIDRMask(address.Bits(), 32)}}
	return device, errors.Join(netlink.LinkSetGSOMaxSegs(device, 1), netlink.AddrAdd(device, ip), netlink.LinkSetUp(device))
}

// disableLossProbes turns tail loss probes off (RFC 8985, section 7; tcp_early_retrans in
// Linux's ip-sysctl) in the namespace of the caller. No segment is lost on this link, but
// its round trip is so short that a busy machine acknowledges after the probe timeout, and
// each probe is a segment that is sent twice.
func disableLossProbes() error {
	return os.WriteFile("/proc/sys/net/ipv4/tcp_early_retrans", []byte("0"), 0)
}

// setNeighbour sets the hardware address of the other end.
func setNeighbour(from netlink.Link, ip netip.Addr, to netlink.Link) error {
	return netlink.NeighSet(&netlink.Neigh{
		LinkIndex:    from.Attrs().Index,
		State:        netlink.NUD_PERMANENT,
		IP:           ip.AsSlice(),
		HardwareAddr: to.Attrs().HardwareAddr,
	})
}

// counters reads the counters of the near end.
func (l *link) counters() (calibrate.Counters, error) {
	device, err := netlink.LinkByName(l.name)
	if err != nil {
		return calibrate.Counters{}, fmt.Errorf("read counters of %s: %w", l.name, err)
	}
	s := device.Attrs().Statistics
	return calibrate.Counters{
		Up:   calibrate.Frames{Bytes: int64(s.TxBytes), Packets: int64(s.TxPackets)},
		Down: calibrate.Frames{Bytes: int64(s.RxBytes), Packets: int64(s.RxPackets)},
	}, nil
}

// retransmitted returns the number of TCP retransmissions of the far end.
func (l *link) retransmitted() (n int64, err error) {
	err = l.path.Far.Inside(func() error {
		listing, err := os.ReadFile("/proc/thread-self/net/snmp") // of this thread's namespace
		if err != nil {
			return fmt.Errorf("read TCP's counters: %w", err)
		}
		n, err = counter(string(listing), "Tcp", "RetransSegs")
		return err
	})
	return n, err
}

// counter finds a counter in a listing of two lines per protocol: names, and values (proc_net(5)).
func counter(listing, protocol, name string) (int64, error) {
	var names []string
	for line := range strings.Lines(listing) {
		fields := strings.Fields(line)
		if len(fields) == 0 || fields[0] != protocol+":" {
			continue
		}
		if names == nil {
			names = fields
			continue
		}
		if i := slices.Index(names, name); i > 0 && i < len(fields) {
			return strconv.ParseInt(fields[i], 10, 64)
		}
	}
	return 0, fmt.Errorf("read TCP's counters: no %s for %s", name, protocol)
}

// close removes the link; the namespace ends with its last process.
func (l *link) close(t *testing.T) {
	if device, err := netlink.LinkByName(l.name); err == nil { // an error means that build failed before
		if err := netlink.LinkDel(device); err != nil { // first: the end of a namespace removes its links only later
			t.Error(err)
		}
	}
	if err := l.path.Close(); err != nil {
		t.Error(err)
	}
}

func TestInterfaceCountsEveryFrameAsRoot(t *testing.T) {
	link := newLink(t)
	defer link.close(t)
	var there net.PacketConn
	err := link.path.Far.Inside(func() (err error) {
		there, err = net.ListenPacket("udp4", net.JoinHostPort(link.farPrefix.Addr().String(), "0"))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	defer there.Close()
	before, err := link.counters()
	if err != nil {
		t.Fatal(err)
	}
	sizes := []int{1, 100, 1400}
	datagrams(t, there, sizes)
	after, err := link.counters()
	if err != nil {
		t.Fatal(err)
	}
	const headers = ethernetHeader + 20 + 8 // IPv4, UDP
	want := calibrate.Frames{Bytes: 1 + 100 + 1400 + 3*headers, Packets: 3}
	if got := results.Minus(after, before); got.Up != want || got.Down != want {
		t.Errorf("counted %+v, want %+v both ways", got, want)
	}
	if n, err := link.retransmitted(); n != 0 || err != nil {
		t.Errorf("%d TCP retransmissions (%v), want none without TCP traffic", n, err)
	}
}

// datagrams sends datagrams into the namespace and the same back.
func datagrams(t *testing.T, there net.PacketConn, sizes []int) {
	t.Helper()
	here, err := net.Dial("udp4", there.LocalAddr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer here.Close()
	buffer := make([]byte, 2000)
	for _, size := range sizes {
		if _, err := here.Write(make([]byte, size)); err != nil {
			t.Fatal(err)
		}
		n, from, err := there.ReadFrom(buffer)
		if err != nil || n != size {
			t.Fatalf("received %d bytes (%v), want %d", n, err, size)
		}
		if _, err := there.WriteTo(buffer[:n], from); err != nil {
			t.Fatal(err)
		}
		if n, err := here.Read(buffer); err != nil || n != size {
			t.Fatalf("received %d bytes back (%v), want %d", n, err, size)
		}
	}
}

func TestLinkAddressesDiffer(t *testing.T) {
	seen := map[string]bool{}
	for n := range 1 << 14 {
		nearPrefix, farPrefix := linkEnds(n)
		if !nearPrefix.Contains(farPrefix.Addr()) || seen[nearPrefix.Masked().String()] {
			t.Fatalf("link %d: %v and %v: not one network, or used before", n, nearPrefix, farPrefix)
		}
		seen[nearPrefix.Masked().String()] = true
	}
	if nearPrefix, farPrefix := linkEnds(1 << 14); nearPrefix.String() != "198.19.0.1/30" || farPrefix.String() != "198.19.0.2/30" {
		t.Errorf("got %v and %v after the last link, want the first again", nearPrefix, farPrefix)
	}
}

func TestCounterIsFoundByItsName(t *testing.T) {
	const listing = "Ip: Forwarding RetransSegs\nIp: 1 2\nTcp: InSegs OutSegs RetransSegs\nTcp: 10 20 30\nUdp: InErrors\n"
	if got, err := counter(listing, "Tcp", "RetransSegs"); got != 30 || err != nil {
		t.Errorf("got %d (%v), want 30", got, err)
	}
	for _, missing := range []string{"", "Tcp: InSegs\nTcp: 10\n", "Tcp: InSegs RetransSegs\nTcp: 10\n", "Tcp: InSegs RetransSegs\nTcp: 10 many\n"} {
		if _, err := counter(missing, "Tcp", "RetransSegs"); err == nil {
			t.Errorf("%q: no error", missing)
		}
	}
}

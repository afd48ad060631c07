package lab

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/netip"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"
)

// A Link is a wire into a network namespace of its own: a pair of virtual
// Ethernet interfaces, one here and one there, and nothing else on it.
type Link struct {
	Theirs netip.Addr // the address inside

	name  string // of our end
	there netns.NsHandle
}

// NewLink makes a namespace and a link into it, of which a process has one at a time. It needs CAP_NET_ADMIN and
// CAP_SYS_ADMIN: usually, to be root.
func NewLink() (*Link, error) {
	l := &Link{name: fmt.Sprintf("pb%d", os.Getpid())}
	var err error
	if l.there, err = newNamespace(); err != nil {
		return nil, explained("make a network namespace", err)
	}
	if err := l.build(); err != nil {
		return nil, errors.Join(explained("make a veth pair", err), l.Close())
	}
	return l, nil
}

// explained adds to a refusal what would help.
func explained(doing string, err error) error {
	if errors.Is(err, syscall.EPERM) || errors.Is(err, syscall.EACCES) {
		return fmt.Errorf("%s: %w; run this as root, or in a container with the capabilities NET_ADMIN and SYS_ADMIN", doing, err)
	}
	return fmt.Errorf("%s: %w", doing, err)
}

// newNamespace makes a namespace. It lives as long as its handle, or a process in it.
func newNamespace() (made netns.NsHandle, err error) {
	err = onOwnThread(func() error {
		made, err = netns.New()
		return err
	})
	return made, err
}

// Inside runs do in the namespace: sockets that it makes and processes that it
// starts are there. It must not start goroutines that need to be.
func (l *Link) Inside(do func() error) error {
	return onOwnThread(func() error {
		if err := netns.Set(l.there); err != nil {
			return explained("enter the namespace", err)
		}
		return do()
	})
}

// onOwnThread runs do on a thread that ends afterwards: its namespace is not ours any more.
func onOwnThread(do func() error) error {
	done := make(chan error)
	go func() {
		runtime.LockOSThread() // and never unlocked: the thread ends with the goroutine
		done <- do()
	}()
	return <-done
}

// build lays the wire, so quiet that all of its traffic is ours: addresses of
// neighbours are given rather than asked for, and there is no IPv6.
func (l *Link) build() error {
	inside, err := netlink.NewHandleAt(l.there)
	if err != nil {
		return err
	}
	defer inside.Close()
	here, err := netlink.NewHandle()
	if err != nil {
		return err
	}
	defer here.Close()
	ours, theirs := ends(os.Getpid())
	l.Theirs = theirs.Addr()
	attributes := netlink.NewLinkAttrs()
	attributes.Name = l.name
	if err := here.LinkAdd(&netlink.Veth{LinkAttrs: attributes, PeerName: l.name, PeerNamespace: netlink.NsFd(l.there)}); err != nil {
		return err
	}
	near, err := end(here, l.name, ours, silence(l.name))
	if err != nil {
		return err
	}
	far, err := end(inside, l.name, theirs, l.Inside(func() error { return errors.Join(silence(l.name), patience()) }))
	if err != nil {
		return err
	}
	return errors.Join(acquaint(here, near, theirs.Addr(), far), acquaint(inside, far, ours.Addr(), near))
}

// end brings one end up. Segmentation is not left to the device: it would count
// several segments as one, with one header.
func end(h *netlink.Handle, name string, address netip.Prefix, silenced error) (netlink.Link, error) {
	if silenced != nil {
		return nil, silenced
	}
	link, err := h.LinkByName(name)
	if err != nil {
		return nil, err
	}
	ip := &netlink.Addr{IPNet: &net.IPNet{IP: address.Addr().AsSlice(), Mask: net.CIDRMask(address.Bits(), 32)}}
	return link, errors.Join(h.LinkSetGSOMaxSegs(link, 1), h.AddrAdd(link, ip), h.LinkSetUp(link))
}

// silence turns IPv6 off before it announces itself. The path leads to the namespace of who asks.
func silence(name string) error {
	err := os.WriteFile("/proc/sys/net/ipv6/conf/"+name+"/disable_ipv6", []byte("1"), 0)
	if errors.Is(err, fs.ErrNotExist) {
		return nil // the kernel has no IPv6
	}
	return err
}

// patience turns tail loss probes off (RFC 8985, section 7; tcp_early_retrans in
// Linux's ip-sysctl) in the namespace of who asks. Nothing is lost on this link, but
// its round trip is so short that a busy machine answers later than they wait, and
// each is a segment that is sent twice.
func patience() error {
	return os.WriteFile("/proc/sys/net/ipv4/tcp_early_retrans", []byte("0"), 0)
}

// acquaint tells one end where the other is.
func acquaint(h *netlink.Handle, from netlink.Link, ip netip.Addr, to netlink.Link) error {
	return h.NeighSet(&netlink.Neigh{
		LinkIndex:    from.Attrs().Index,
		State:        netlink.NUD_PERMANENT,
		IP:           ip.AsSlice(),
		HardwareAddr: to.Attrs().HardwareAddr,
	})
}

// Counters reads our end's.
func (l *Link) Counters() (Counters, error) {
	link, err := netlink.LinkByName(l.name)
	if err != nil {
		return Counters{}, fmt.Errorf("read counters of %s: %w", l.name, err)
	}
	s := link.Attrs().Statistics
	return Counters{
		Up:   Direction{Bytes: int64(s.TxBytes), Packets: int64(s.TxPackets)},
		Down: Direction{Bytes: int64(s.RxBytes), Packets: int64(s.RxPackets)},
	}, nil
}

// Resent is how many segments TCP has sent more than once from inside.
func (l *Link) Resent() (n int64, err error) {
	err = l.Inside(func() error {
		listing, err := os.ReadFile("/proc/thread-self/net/snmp") // of this thread's namespace
		if err != nil {
			return fmt.Errorf("read TCP's counters: %w", err)
		}
		n, err = counter(string(listing), "Tcp", "RetransSegs")
		return err
	})
	return n, err
}

// counter finds one in a listing of two lines a protocol: names, and values (proc_net(5)).
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
	return 0, fmt.Errorf("read TCP's counters: there is no %s of %s", name, protocol)
}

// Close takes the link away; the namespace goes with the last process in it.
func (l *Link) Close() error {
	var removed error
	if link, err := netlink.LinkByName(l.name); err == nil { // else build did not come so far
		removed = netlink.LinkDel(link) // first: a namespace that ends takes its links with it, some time later
	}
	return errors.Join(removed, l.there.Close())
}

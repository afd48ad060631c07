package lab

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"
)

// A Path is two network namespaces, each with one device and one address, and nothing
// between the devices but who holds them: see Carry. Everything of it is gone when the
// last process that holds a part of it is: it has no name in the system, and touches
// nothing of the host's own network.
type Path struct {
	Near End // where the servers are
	Far  End // where the clients are

	Doors int // rules of the router that let somebody in, one a host

	router End // between the link and the far end; none: its namespace is not open
}

// An End is one side of a Path.
type End struct {
	Address   netip.Addr
	device    *os.File
	namespace netns.NsHandle
}

// NewPath makes a Path. It needs CAP_NET_ADMIN and CAP_SYS_ADMIN: usually, to be root.
func NewPath() (*Path, error) {
	near, far := ends(0) // no other path is in sight of this one's namespaces
	p := &Path{
		Near:   End{Address: near.Addr(), namespace: netns.None()},
		Far:    End{Address: far.Addr(), namespace: netns.None()},
		router: End{namespace: netns.None()},
	}
	for _, e := range []*End{&p.Near, &p.Far} {
		if err := e.make(near.Bits()); err != nil {
			return nil, errors.Join(err, p.Close())
		}
	}
	return p, nil
}

// make makes the end's namespace, and in it its device.
func (e *End) make(bits int) (err error) {
	if e.namespace, err = newNamespace(); err != nil {
		return explained("make a network namespace", err)
	}
	return e.Inside(func() error {
		if e.device, err = openTUN(deviceName); err != nil {
			return explained("make a TUN device", err)
		}
		if err := e.configure(bits); err != nil {
			return explained("set a TUN device up", err)
		}
		return nil
	})
}

// deviceName is the same in every namespace.
const deviceName = "pb0"

// openTUN makes a device of this thread's namespace (Linux, networking/tuntap): what is
// read from it is what the namespace sends, packet by packet.
func openTUN(name string) (*os.File, error) {
	const node = "/dev/net/tun"
	fd, err := unix.Open(node, unix.O_RDWR|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
	if errors.Is(err, unix.EACCES) {
		return nil, fmt.Errorf("%s, which Linux lets everybody open and this system does not (chmod 666 %[1]s): %w", node, err)
	}
	if err != nil {
		return nil, err
	}
	request, err := unix.NewIfreq(name)
	if err != nil {
		return nil, errors.Join(err, unix.Close(fd))
	}
	request.SetUint16(unix.IFF_TUN | unix.IFF_NO_PI)
	if err := unix.IoctlIfreq(fd, unix.TUNSETIFF, request); err != nil {
		return nil, errors.Join(err, unix.Close(fd))
	}
	return os.NewFile(uintptr(fd), name), nil
}

// queueLength is how many packets the kernel keeps for who reads the device. A link that
// comes late must not lose any for that.
const queueLength = 10_000

// configure gives the device its address and brings it up, and the loopback device too.
func (e *End) configure(bits int) error {
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
	address := &netlink.Addr{IPNet: &net.IPNet{IP: e.Address.AsSlice(), Mask: net.CIDRMask(bits, 32)}}
	return errors.Join(
		silence(deviceName),
		h.LinkSetMTU(device, mtu), h.LinkSetTxQLen(device, queueLength), h.AddrAdd(device, address),
		h.LinkSetUp(device), h.LinkSetUp(loopback))
}

// Inside runs do in the end's namespace: sockets that it makes and processes that it
// starts are there. It must not start goroutines that need to be.
func (e *End) Inside(do func() error) error {
	return onOwnThread(func() error {
		if err := netns.Set(e.namespace); err != nil {
			return explained("enter the namespace", err)
		}
		return do()
	})
}

// Device is what a link holds of the end.
func (e *End) Device() *os.File { return e.device }

// Namespace gives a descriptor of the namespace, for a process that is to make sockets
// there: see InsideOf. The caller closes it.
func (e *End) Namespace() (*os.File, error) {
	fd, err := unix.FcntlInt(uintptr(e.namespace), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("hold the namespace: %w", err)
	}
	return os.NewFile(uintptr(fd), "namespace"), nil
}

// InsideOf is Inside of the namespace whose descriptor a process was given.
func InsideOf(fd int) func(do func() error) error {
	e := End{namespace: netns.NsHandle(fd)}
	return e.Inside
}

// Close gives up the ends. What still runs in a namespace keeps it.
func (p *Path) Close() error {
	var failed []error
	for _, e := range []*End{&p.Near, &p.Far, &p.router} {
		if e.device != nil {
			failed = append(failed, e.device.Close())
		}
		if e.namespace.IsOpen() {
			failed = append(failed, e.namespace.Close())
		}
	}
	return errors.Join(failed...)
}

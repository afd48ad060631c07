package lab

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/netip"
	"os"
	"runtime"

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
	Device    *os.File // what a link holds of the end
	namespace netns.NsHandle
}

// NewPath makes a Path; behind a router its far end is a network of hosts. It needs
// CAP_NET_ADMIN and CAP_SYS_ADMIN: usually, to be root.
func NewPath(r *Router) (*Path, error) {
	p := &Path{
		Near:   End{Address: near.Addr(), namespace: netns.None()},
		Far:    End{Address: far.Addr(), namespace: netns.None()},
		router: End{Address: far.Addr(), namespace: netns.None()},
	}
	err := p.Near.make()
	switch {
	case err != nil:
	case r == nil:
		err = p.Far.make()
	default:
		err = p.makeRouter(*r)
	}
	if err != nil {
		return nil, errors.Join(err, p.Close())
	}
	return p, nil
}

// make makes the end's namespace, and in it its device.
func (e *End) make() (err error) {
	if e.namespace, err = newNamespace(); err != nil {
		return err
	}
	return e.Inside(func() error {
		if e.Device, err = openTUN(deviceName); err != nil {
			return explained("make a TUN device", err)
		}
		_, err = setUp(deviceName, netip.PrefixFrom(e.Address, near.Bits()))
		return explained("set a TUN device up", err)
	})
}

// explained adds to a refusal what would help.
func explained(doing string, err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, unix.EPERM), errors.Is(err, unix.EACCES):
		return fmt.Errorf("%s: %w; run this as root, or in a container with the capabilities NET_ADMIN and SYS_ADMIN", doing, err)
	default:
		return fmt.Errorf("%s: %w", doing, err)
	}
}

// newNamespace makes a namespace. It lives as long as its handle, or a process in it.
func newNamespace() (made netns.NsHandle, err error) {
	err = onOwnThread(func() error {
		made, err = netns.New()
		return err
	})
	return made, explained("make a network namespace", err)
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

// setUp gives a device of this thread's namespace its addresses and brings it up, and the
// loopback device too.
func setUp(name string, addresses ...netip.Prefix) (netlink.Link, error) {
	device, err := netlink.LinkByName(name)
	if err != nil {
		return nil, err
	}
	loopback, err := netlink.LinkByName("lo")
	if err != nil {
		return nil, err
	}
	for _, a := range addresses {
		ip := &net.IPNet{IP: a.Addr().AsSlice(), Mask: net.CIDRMask(a.Bits(), a.Addr().BitLen())}
		if err := netlink.AddrAdd(device, &netlink.Addr{IPNet: ip}); err != nil {
			return nil, fmt.Errorf("address %v: %w", a, err)
		}
	}
	return device, errors.Join(
		silence(name), netlink.LinkSetMTU(device, mtu), netlink.LinkSetTxQLen(device, queueLength),
		netlink.LinkSetUp(device), netlink.LinkSetUp(loopback))
}

// silence turns IPv6 off before it announces itself.
func silence(name string) error {
	err := os.WriteFile("/proc/sys/net/ipv6/conf/"+name+"/disable_ipv6", []byte("1"), 0)
	if errors.Is(err, fs.ErrNotExist) {
		return nil // the kernel has no IPv6
	}
	return err
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
		if e.Device != nil {
			failed = append(failed, e.Device.Close())
		}
		if e.namespace.IsOpen() {
			failed = append(failed, e.namespace.Close())
		}
	}
	return errors.Join(failed...)
}

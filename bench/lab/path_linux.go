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

// A Path consists of two network namespaces, each with one device and one address. Only the
// process that has opened the devices connects them: see Carry. A path has no name in the
// system and disappears with the last process that uses it. It does not affect the network of
// the host.
type Path struct {
	Near End // the servers
	Far  End // the clients

	ForwardingRules int // port forwarding rules of the router, one per host

	router End // between the link and the far end; without a router its namespace is not open
}

// An End is one side of a Path.
type End struct {
	Address   netip.Addr
	Device    *os.File // read and written by the link
	namespace netns.NsHandle
}

// NewPath creates a Path; with a router its far end is a network of hosts. It needs
// CAP_NET_ADMIN and CAP_SYS_ADMIN, usually root.
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

// make creates the namespace of the end with its device.
func (e *End) make() (err error) {
	if e.namespace, err = newNamespace(); err != nil {
		return err
	}
	return e.Inside(func() error {
		if e.Device, err = openTUN(deviceName); err != nil {
			return withHint("create a TUN device", err)
		}
		_, err = setUp(deviceName, netip.PrefixFrom(e.Address, near.Bits()))
		return withHint("set up a TUN device", err)
	})
}

// withHint adds a remedy to a permission error.
func withHint(doing string, err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, unix.EPERM), errors.Is(err, unix.EACCES):
		return fmt.Errorf("%s: %w; run this as root, or in a container with the capabilities NET_ADMIN and SYS_ADMIN", doing, err)
	default:
		return fmt.Errorf("%s: %w", doing, err)
	}
}

// newNamespace creates a namespace. It exists until its handle is closed and its last process
// has ended.
func newNamespace() (made netns.NsHandle, err error) {
	err = onOwnThread(func() error {
		made, err = netns.New()
		return err
	})
	return made, withHint("create a network namespace", err)
}

// onOwnThread runs do on a thread that ends afterwards, because its namespace differs.
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

// openTUN creates a device in the namespace of this thread (Linux, networking/tuntap). A read
// from it returns one packet that the namespace sends.
func openTUN(name string) (*os.File, error) {
	const node = "/dev/net/tun"
	fd, err := unix.Open(node, unix.O_RDWR|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
	if errors.Is(err, unix.EACCES) {
		return nil, fmt.Errorf("%s: by default every user may open it, but not on this system (chmod 666 %[1]s): %w", node, err)
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

// queueLength is the number of packets that the kernel queues for the reader of the device: a
// late link must not lose packets.
const queueLength = 10_000

// setUp adds the addresses of a device in the namespace of this thread, and brings it and the
// loopback device up.
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
		disableIPv6(name), netlink.LinkSetMTU(device, mtu), netlink.LinkSetTxQLen(device, queueLength),
		netlink.LinkSetUp(device), netlink.LinkSetUp(loopback))
}

// disableIPv6 disables IPv6 before it sends announcements.
func disableIPv6(name string) error {
	err := os.WriteFile("/proc/sys/net/ipv6/conf/"+name+"/disable_ipv6", []byte("1"), 0)
	if errors.Is(err, fs.ErrNotExist) {
		return nil // the kernel has no IPv6
	}
	return err
}

// Inside runs do in the namespace of the end: sockets that do creates and processes that it
// starts belong to that namespace. Goroutines that do starts do not.
func (e *End) Inside(do func() error) error {
	return onOwnThread(func() error {
		if err := netns.Set(e.namespace); err != nil {
			return withHint("enter the namespace", err)
		}
		return do()
	})
}

// Namespace returns a descriptor of the namespace for a process that creates sockets there:
// see InsideOf. The caller closes it.
func (e *End) Namespace() (*os.File, error) {
	fd, err := unix.FcntlInt(uintptr(e.namespace), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("duplicate the descriptor of the namespace: %w", err)
	}
	return os.NewFile(uintptr(fd), "namespace"), nil
}

// InsideOf returns Inside for the namespace of an inherited descriptor.
func InsideOf(fd int) func(do func() error) error {
	e := End{namespace: netns.NsHandle(fd)}
	return e.Inside
}

// Close releases the ends. A namespace exists until its last process ends.
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

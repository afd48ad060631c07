package sock

import (
	"net"
	"runtime"
	"syscall"
	"testing"
	"time"
)

// Options must report the kernel's values, not those that the program has set.
func TestOptionsAreReadFromKernel(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p, err := NewPoller(time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	l := Listen(ln, p)
	defer l.Close()
	if _, ok := l.Options(); ok {
		t.Error("got options without a connection")
	}
	client, err := net.Dial("tcp", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	accepted, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	c := accepted.(*Conn)
	defer c.Abort()
	o, ok := l.Options()
	if !ok || !o.NoDelay || o.KeepAlive || o.SendBuffer == "" || o.ReceiveBuffer == "" {
		t.Errorf("got %+v, want no delay and no keep-alive", o)
	}
	for _, set := range [][3]int{
		{syscall.IPPROTO_TCP, syscall.TCP_NODELAY, 0},
		{syscall.SOL_SOCKET, syscall.SO_KEEPALIVE, 1},
		{syscall.SOL_SOCKET, syscall.SO_SNDBUF, 1 << 14},
	} {
		if err := c.control(func(fd int) error { return syscall.SetsockoptInt(fd, set[0], set[1], set[2]) }); err != nil {
			t.Fatal(err)
		}
	}
	changed, _ := l.Options()
	if changed.NoDelay || !changed.KeepAlive {
		t.Errorf("got %+v, want the changed options", changed)
	}
	if runtime.GOOS == "linux" && o.SendBuffer == autotuned && changed.SendBuffer == autotuned {
		t.Errorf("a send buffer of fixed size is reported as %q", changed.SendBuffer)
	}
}

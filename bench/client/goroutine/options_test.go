package goroutine

import (
	"net"
	"testing"

	"pushbench/bench/client"
)

// Options are those that the kernel reports.
func TestOptionsOfTheFirstConnection(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	var traffic client.Traffic
	if traffic.Options() != nil {
		t.Error("got options before the first connection, want none")
	}
	c, err := dial(t.Context(), &client.Config{Target: ln.Addr().String(), Traffic: &traffic}, new(client.Distance))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if o := traffic.Options(); o == nil || !o.NoDelay || o.KeepAlive || o.SendBuffer == "" || o.ReceiveBuffer == "" {
		t.Errorf("got %+v, want no delay and no keep-alive", o)
	}
	tcp := c.counting.Conn.(*net.TCPConn)
	if err := tcp.SetNoDelay(false); err != nil {
		t.Fatal(err)
	}
	var later client.Traffic
	later.Accepted(c.counting)
	if o := later.Options(); o == nil || o.NoDelay {
		t.Errorf("got %+v, want the option that was set since", o)
	}
}

package client

import (
	"net"
	"testing"
)

// The options that are told are the kernel's.
func TestOptionsOfTheFirstConnection(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	var traffic Traffic
	if traffic.Options() != nil {
		t.Error("options of no connection")
	}
	c, err := dial(t.Context(), &Config{Target: ln.Addr().String(), Traffic: &traffic}, &distance{})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if o := traffic.Options(); o == nil || !o.NoDelay || o.KeepAlive || o.SendBuffer == "" || o.ReceiveBuffer == "" {
		t.Errorf("got %+v, want no delay and no keep-alive", o)
	}
	tcp := c.tap.Conn.(*net.TCPConn)
	if err := tcp.SetNoDelay(false); err != nil {
		t.Fatal(err)
	}
	if o := c.tap.options(); o == nil || o.NoDelay {
		t.Errorf("got %+v, want what was set since", o)
	}
}

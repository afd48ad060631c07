//go:build linux && !portable

package sock

import (
	"testing"
	"time"
)

// A partial record is neither an error nor lost: the next read continues it.
func TestSecureReadOfPartialRecord(t *testing.T) {
	c, client, below := securePair(t, time.Minute)
	handshake(t, c, client)
	events := make(testHandler, 1)
	c.Handle(events)
	below.holdBack = true
	if _, err := client.Write([]byte("whole")); err != nil {
		t.Fatal(err)
	}
	for i, b := range below.held {
		if already := c.Watch(Readable); already != 0 {
			t.Fatalf("byte %d: the connection is readable before its record is complete", i)
		}
		if _, err := below.Conn.Write([]byte{b}); err != nil {
			t.Fatal(err)
		}
		events.wait(t, Readable)
		p := make([]byte, 16)
		n, err := c.ReadNow(p)
		if last := i == len(below.held)-1; last && (string(p[:n]) != "whole" || err != nil) {
			t.Errorf("the complete record gives %q, %v", p[:n], err)
		} else if !last && (n != 0 || err != ErrNothing) {
			t.Fatalf("%d bytes of a record give %q, %v; want no data", i+1, p[:n], err)
		}
	}
}

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
	p := make([]byte, 16)
	read := func() (string, error) {
		if c.Watch(Readable) == 0 {
			events.wait(t, Readable)
		}
		n, err := c.ReadNow(p)
		return string(p[:n]), err
	}
	for i, b := range below.held {
		if _, err := below.Conn.Write([]byte{b}); err != nil {
			t.Fatal(err)
		}
		got, err := read()
		if i < len(below.held)-1 {
			if got != "" || err != ErrNothing {
				t.Fatalf("%d bytes of a record give %q, %v; want no data", i+1, got, err)
			}
			continue
		}
		for err == ErrNothing { // the poller has reported an earlier byte, such as one of the handshake
			got, err = read()
		}
		if got != "whole" || err != nil {
			t.Errorf("the complete record gives %q, %v", got, err)
		}
	}
}

//go:build linux && !portable

package sock

import (
	"io"
	"testing"
	"time"

	"pushbench/servers/sock/socktest"
)

// With Nagle a Write is two segments: the kernel may not send the second before the first is
// acknowledged, and so cannot merge them. Otherwise a Write is one segment.
func TestNagleSendsWriteInTwoSegments(t *testing.T) {
	for nagle, want := range map[bool]uint32{false: 1, true: 2} {
		c, peer, l := pair(t, time.Minute, func(l *Listener) { l.Nagle = nagle })
		if o, ok := l.Options(); !ok || o.NoDelay == nagle {
			t.Errorf("Nagle %t: TCP_NODELAY is %t", nagle, o.NoDelay)
		}
		if n, err := c.Write([]byte("0123456789")); n != 10 || err != nil {
			t.Fatalf("wrote %d bytes, %v", n, err)
		}
		got := make([]byte, 10)
		if _, err := io.ReadFull(peer, got); err != nil || string(got) != "0123456789" {
			t.Fatalf("read %q, %v", got, err)
		}
		if n := socktest.DataSegments(t, peer); n != want {
			t.Errorf("Nagle %t: %d segments, want %d", nagle, n, want)
		}
	}
}

// A Write of one byte has no second part.
func TestNagleSendsSingleByte(t *testing.T) {
	c, peer, _ := pair(t, time.Minute, func(l *Listener) { l.Nagle = true })
	if n, err := c.Write([]byte("a")); n != 1 || err != nil {
		t.Fatalf("wrote %d bytes, %v", n, err)
	}
	if _, err := io.ReadFull(peer, make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
}

//go:build linux && !portable

package sock

import (
	"errors"
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

// A client may make the handshake in advance: the read timeout of its first request begins with that request.
func TestSecureHandshakeIsNoRequest(t *testing.T) {
	c, client, _ := securePair(t, time.Minute)
	c.listener.FirstByte = time.Hour
	left := func() time.Duration {
		c.mu.Lock()
		defer c.mu.Unlock()
		return time.Until(c.deadline)
	}
	if err := c.SetReadDeadline(time.Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	shaken := make(chan error, 1)
	go func() { shaken <- client.Handshake() }()
	if err := errors.Join(c.secure.handshake(c, c.receive, nil), <-shaken); err != nil {
		t.Fatal(err)
	}
	if left() <= time.Minute {
		t.Errorf("%s for the first byte, want up to an hour", left())
	}
	if _, err := client.Write([]byte("GET")); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Read(make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	if left() > time.Minute {
		t.Errorf("%s for the rest of the request, want at most a minute", left())
	}
}

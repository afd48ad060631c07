package httpstack

import (
	"strings"
	"testing"
	"time"
)

// setClock sets a library's clock and returns a function that advances it.
func setClock(s *Stack) (advance func(time.Duration)) {
	now := time.Date(2026, 3, 1, 9, 5, 7, 0, time.FixedZone("", 3600))
	s.clock.now = func() time.Time { return now }
	return func(d time.Duration) { now = now.Add(d) }
}

func TestDateIsFormattedOncePerSecond(t *testing.T) {
	s := New(Config{Library: FastHTTP})
	advance := setClock(s)
	first := s.clock.date()
	if want := "Sun, 01 Mar 2026 08:05:07 GMT"; first.text != want || first.values[0] != want {
		t.Errorf("got %+v, want %s", first, want)
	}
	advance(time.Second - 1)
	if same := s.clock.date(); same != first {
		t.Error("formatted again within the same second")
	}
	advance(1)
	if next := s.clock.date(); next.text != "Sun, 01 Mar 2026 08:05:08 GMT" {
		t.Errorf("got %s after a second", next.text)
	}
	if line := s.AppendDate(nil); len(line) != dateLine || dateLine != 37 {
		t.Errorf("%q has %d bytes, want dateLine = %d = 37", line, len(line), dateLine)
	}
}

// A batch that waiting polls share is framed once per second, in the bytes of every other response.
func TestPollsOfOneSecondShareResponse(t *testing.T) {
	for _, library := range []Library{NetHTTP, FastHTTP} {
		s := New(Config{Library: library, ResponseHeaderBytes: 193})
		advance := setClock(s)
		p := &Poll{Body: []byte(`{"cursor":"1"}`)}
		first := s.WholePoll(p)
		if again := s.WholePoll(p); &again[0] != &first[0] {
			t.Errorf("%s: framed twice within a second", library)
		}
		if header, _, _ := strings.Cut(string(first), "{"); len(header) != 193 {
			t.Errorf("%s: the headers are padded to %d bytes, want 193", library, len(header))
		}
		advance(time.Second)
		want := string(s.AppendResponse(nil, Response{Status: 200, Body: p.Body, NoStore: true}))
		if next := string(s.WholePoll(p)); next != want || !strings.Contains(next, "\r\nDate: Sun, 01 Mar 2026 08:05:08 GMT\r\n") {
			t.Errorf("%s: got %q after a second, want %q", library, next, want)
		}
	}
}

func TestDateAllocatesNothing(t *testing.T) {
	s := New(Config{Library: FastHTTP})
	setClock(s)
	p := &Poll{Body: []byte("{}")}
	buffer := make([]byte, 0, 256)
	n := testing.AllocsPerRun(100, func() {
		s.WholePoll(p)
		buffer = s.AppendDate(buffer[:0])
		buffer = s.AppendResponse(buffer[:0], Response{Status: 204, NoStore: true})
	})
	if n != 0 {
		t.Errorf("%v allocations per response, want 0", n)
	}
}

package lab

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"
	"unicode"

	"pushbench/bench/clock"
)

// FuzzReadShape checks that a shape that is read can be sent again and delays no packet into the past, and that an error
// is one printable line.
func FuzzReadShape(f *testing.F) {
	for _, seed := range []string{
		`{"rtt_ns":20000000,"jitter_ns":1000000,"loss":0.01,"reorder":0.1,"rate":125000,"queue":10,"seed":7}`, `{}`, `{"rtt_ns":9223372036854775807,"jitter_ns":9223372036854775807}`,
		`{"loss":-1}`, `{"loss":1e300}`, `{"rate":-1,"queue":-1}`, `{"rate":1}`, `null`, "{\"\x1b\":1}", strings.Repeat(" ", 5000),
	} {
		f.Add([]byte(seed + "\n"))
	}
	f.Fuzz(func(t *testing.T, line []byte) {
		s, err := readShape(bytes.NewReader(line))
		if err != nil {
			if strings.ContainsFunc(err.Error(), func(r rune) bool { return !unicode.IsPrint(r) }) {
				t.Errorf("the error is not one printable line: %q", err)
			}
			return
		}
		sent, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		if again, err := readShape(bytes.NewReader(append(sent, '\n'))); err != nil || again != s {
			t.Errorf("%+v is read again as %+v, %v", s, again, err)
		}
		const begun, packets = clock.Instant(time.Hour), 20
		d := newDelayLine(s, s.RTT/2, 0)
		for range packets {
			d.push(make([]byte, 1500), begun)
		}
		last := begun
		for {
			at, ok := d.due()
			if !ok {
				return
			}
			if d.pop(); at < last {
				t.Fatalf("%+v: a packet departs at %v, before %v", s, at, last)
			}
			last = at
		}
	})
}

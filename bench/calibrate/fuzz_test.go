package calibrate

import (
	"bytes"
	"encoding/json"
	"math/big"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode"

	"pushbench/bench/child"
)

// FuzzResident checks that the sum has each size of a listing once, and that a line without a size is an error.
func FuzzResident(f *testing.F) {
	f.Add("00400000-00452000 r-xp 00000000 08:02 173521 /usr/bin/x\nSize: 328 kB\nRss:     84 kB\nPss: 1 kB\nRss:\t4 kB\n")
	f.Add("Rss: -1 kB\n")
	f.Add("Rss: 18014398509481984 kB\nRss: 1 MB")
	f.Add("Rss: 1 kB\r\n")
	f.Fuzz(func(t *testing.T, listing string) {
		got, err := resident(listing)
		want, malformed := new(big.Int), false
		for _, line := range strings.SplitAfter(listing, "\n") {
			if !strings.HasPrefix(line, "Rss:") {
				continue
			}
			found := regexp.MustCompile(`^([0-9]+) kB$`).FindStringSubmatch(strings.TrimSpace(line[len("Rss:"):]))
			if found == nil {
				malformed = true
				continue
			}
			kib, _ := new(big.Int).SetString(found[1], 10)
			want.Add(want, kib.Lsh(kib, 10))
		}
		switch {
		case err != nil && strings.ContainsFunc(err.Error(), func(r rune) bool { return !unicode.IsPrint(r) }):
			t.Errorf("the error is not one printable line: %q", err)
		case err != nil && got != 0:
			t.Errorf("%q: %d bytes with the error %v", listing, got, err)
		case err == nil && (malformed || !want.IsInt64() || want.Int64() != got):
			t.Errorf("%q: %d bytes, want %v", listing, got, want)
		}
	})
}

// FuzzStubRequest checks that no line makes a stub use more than it is allowed to, and that an error is one printable line.
func FuzzStubRequest(f *testing.F) {
	f.Add([]byte(`{"burn_ns":200000000,"touch_bytes":4096}` + "\n{}\n"))
	f.Add([]byte(`{"burn_ns":-1}` + "\n" + `{"touch_bytes":4611686018427387904}`))
	f.Add([]byte(`{"burn_ns":1e300}`))
	f.Fuzz(func(t *testing.T, lines []byte) {
		err := child.ReadLines(bytes.NewReader(lines), func(r stubRequest) error {
			if err := r.check(); err != nil {
				return err
			}
			if r.Burn < 0 || r.Burn > time.Minute || r.Touch < 0 || r.Touch > 1<<30 || r.Touch%4096 != 0 {
				t.Errorf("%+v is allowed", r)
			}
			text, err := json.Marshal(r)
			var again stubRequest
			if err != nil || json.Unmarshal(text, &again) != nil || again != r {
				t.Errorf("%+v is sent as %s and read as %+v, %v", r, text, again, err)
			}
			return nil
		})
		if err != nil && strings.ContainsFunc(err.Error(), func(r rune) bool { return !unicode.IsPrint(r) }) {
			t.Errorf("the error is not one printable line: %q", err)
		}
	})
}

package faults

import (
	"strings"
	"testing"
	"unicode"
)

// FuzzParse checks that accepted faults are within their limits, and that an error is one printable line.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{"", "drop=997,double=499,delay=10ms", "nagle,work=1ms", "swap=0", "delay=1h", "drop=1,drop=2", "\x1b"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got, err := Parse(text)
		switch {
		case err != nil && (got != Faults{} || strings.ContainsFunc(err.Error(), func(r rune) bool { return !unicode.IsPrint(r) })):
			t.Errorf("%q: got %+v, %q", text, got, err)
		case min(got.Drop, got.Double, got.Swap, got.Corrupt) < 0 || min(got.Delay, got.Work) < 0 || max(got.Delay, got.Work) > maxDuration:
			t.Errorf("%q: got %+v", text, got)
		case err == nil && (got == Faults{}) != (text == ""):
			t.Errorf("%q: got %+v", text, got)
		}
	})
}

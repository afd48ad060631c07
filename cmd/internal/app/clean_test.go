package app

import (
	"strings"
	"testing"
)

func TestCleanRemovesWhatControlsATerminal(t *testing.T) {
	for _, c := range []struct {
		text, want string
		colors     bool
	}{
		{"plain µs\tand\nlines\r\n", "plain µs\tand\nlines\r\n", false},
		{"a\x1b]0;title\x07b\x1b[2Jc\x9b\u009bd\x7f\x00", "a]0;titleb[2Jcd", false},
		{"\u202ereversed\u202c \ufffd\xff", "reversed ", false},
		{"\x1b[31mred\x1b[0m", "[31mred[0m", false},
		{"\x1b[31mred\x1b[0;1m\x1b[2J\x1b[", "\x1b[31mred\x1b[0;1m[2J[", true},
		{clearLine + "1 of 2\r3", clearLine + "1 of 23", false},
	} {
		var whole strings.Builder
		if n, err := (&Clean{To: &whole, Colors: c.colors}).Write([]byte(c.text)); n != len(c.text) || err != nil || whole.String() != c.want {
			t.Errorf("%q: got %q (%d, %v), want %q", c.text, whole.String(), n, err, c.want)
		}
	}
	var parts strings.Builder
	byBytes := &Clean{To: &parts}
	for _, b := range []byte("3 µs, 2×, €") { // a buffer may cut a character
		if _, err := byBytes.Write([]byte{b}); err != nil {
			t.Fatal(err)
		}
	}
	if want := "3 µs, 2×, €"; parts.String() != want {
		t.Errorf("got %q, want %q", parts.String(), want)
	}
}

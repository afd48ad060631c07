package hub

import "testing"

func TestParseCursorAcceptsOnlyCanonicalText(t *testing.T) {
	for _, c := range []Cursor{{}, {1, 2}, {^uint64(0), ^uint64(0)}, {0xabc, 0x10}} {
		if got, err := ParseCursor(c.String()); err != nil || got != c {
			t.Errorf("%v: got %v, %v", c, got, err)
		}
	}
	for _, text := range []string{
		"", "-1", "1e3", "0x10", "99999999999999999999", "1\x00", "0123456789abcdef", "0123456789abcdef.",
		"0123456789abcdef.01", "0123456789abcdef.-1", "0123456789ABCDEF.1", "0123456789abcdef.A", " 0123456789abcdef.1",
		"0123456789abcdef.1 ", "123456789abcdef.1", "0123456789abcdef.11111111111111111", "0123456789abcdefg.1",
	} {
		if c, err := ParseCursor(text); err == nil {
			t.Errorf("%q: got %v, want an error", text, c)
		}
	}
}

func FuzzParseCursor(f *testing.F) {
	f.Add("0123456789abcdef.1f")
	f.Add("0123456789abcdef.01")
	f.Add("")
	f.Fuzz(func(t *testing.T, text string) {
		if c, err := ParseCursor(text); err == nil && c.String() != text {
			t.Errorf("%q was read as %v, which is written %q", text, c, c.String())
		}
	})
}

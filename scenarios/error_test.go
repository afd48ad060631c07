package scenarios

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func TestQuote(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"", `""`},
		{"plain", `"plain"`},
		{"a\nb\x1b[31m\u202e", `"a\nb\x1b[31m\u202e"`},
		{"caf\xe9", `"caf\xe9"`},
		{strings.Repeat("a", 78), `"` + strings.Repeat("a", 78) + `"`},
		{strings.Repeat("a", 79), `"` + strings.Repeat("a", 77) + `…"`},
		{strings.Repeat("é", 1<<20), `"` + strings.Repeat("é", 77) + `…"`},
	} {
		if got := quote(c.text); got != c.want {
			t.Errorf("quote(%.20q) = %s, want %s", c.text, got, c.want)
		}
	}
}

func FuzzQuote(f *testing.F) {
	f.Add("\u202e\\")
	f.Fuzz(func(t *testing.T, text string) {
		got := quote(text)
		if n := utf8.RuneCountInString(got); n > quoteLimit || strings.ContainsFunc(got, hidden) {
			t.Errorf("quote(%q) = %s: %d characters, want at most %d, all visible", text, got, n, quoteLimit)
		}
	})
}

func TestDidYouMean(t *testing.T) {
	known := []string{"window", "warmup", "drain", "sse", "seed", "sizes", "size"}
	for typed, want := range map[string]string{
		"windwo":                        "window",
		"Window":                        "window",
		"windows":                       "window",
		"warm_up":                       "warmup",
		"see":                           "sse",
		"siz":                           "size",
		"sizs":                          "sizes",
		"elapsed":                       "",
		"x":                             "",
		strings.Repeat("window", 1<<16): "",
	} {
		got := didYouMean(typed, known)
		if want != "" {
			want = "did you mean `" + want + "`?"
		}
		if got != want {
			t.Errorf("didYouMean(%.20q) = %q, want %q", typed, got, want)
		}
	}
}

func TestDistance(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want int
	}{
		{"", "", 0}, {"", "abc", 3}, {"abc", "abc", 0}, {"abc", "acb", 1}, {"abc", "abd", 1}, {"ab", "abc", 1}, {"kitten", "sitting", 3},
	} {
		if got := distance(c.a, c.b, 10); got != c.want {
			t.Errorf("distance(%q, %q) = %d, want %d", c.a, c.b, got, c.want)
		}
		if got := distance(c.b, c.a, 10); got != c.want {
			t.Errorf("distance(%q, %q) = %d, want %d", c.b, c.a, got, c.want)
		}
	}
}

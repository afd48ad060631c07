package scenarios

import (
	"reflect"
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

// What people write for a rate, a duration or a size is understood, if only one value can be meant.
func TestOtherSpellingsAreUnderstood(t *testing.T) {
	for typed, want := range map[string]string{
		"1e3/s": "1000/s", "1.5E1/h": "15/h", "1,000/s": "1000/s", "1_000_000 / s": "1000000/s", "10rps": "10/s", "10 qps": "10/s", "90rpm": "90/min", "1k/s": "1000/s", "2.5k/sec": "2500/s",
		"10 per second": "10/s", "60/m": "60/min", "10/sec": "10/s", "10hz": "10/s",
		"1,00/s": "", "1.2.3/s": "", "1e999/s": "", "e3/s": "", "10/B": "", "10/s": "", "k/s": "", "-1e3/s": "",
	} {
		if got := respelled(reflect.TypeFor[Rate](), typed); got != want {
			t.Errorf("%q is taken for %q, want %q", typed, got, want)
		}
	}
	if got := respelled(reflect.TypeFor[Size](), "1,000KB"); got != "1000kB" {
		t.Errorf("1,000KB is taken for %q", got)
	}
	if got := respelled(reflect.TypeFor[Duration](), "1e3msec"); got != "1000ms" {
		t.Errorf("1e3msec is taken for %q", got)
	}
}

package results

import (
	"strings"
	"unicode"
)

// Capital is a sentence or a title, which begins with an ASCII letter, with a capital letter.
func Capital(s string) string { return strings.ToUpper(s[:1]) + s[1:] }

// Plain makes a string that came from outside harmless on one line of a
// terminal or a chart: no control characters, no escapes, no reversed text.
func Plain(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t' || r == '\r':
			return ' '
		case unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || r == unicode.ReplacementChar:
			return -1
		default:
			return r
		}
	}, s)
}

package results

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Capital returns s with its first letter in upper case. Text from a run may be empty, or begin
// with any letter.
func Capital(s string) string {
	first, size := utf8.DecodeRuneInString(s)
	if size == 0 {
		return ""
	}
	return string(unicode.ToUpper(first)) + s[size:]
}

// Plain makes a string from a file safe to print on one line of a terminal or chart: without
// control characters, escape sequences and reversed text.
func Plain(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t' || r == '\r':
			return ' '
		case Controls(r):
			return -1
		default:
			return r
		}
	}, s)
}

// Controls reports whether a character can change how a terminal shows the text around it, or is none.
func Controls(r rune) bool {
	return unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || r == unicode.ReplacementChar
}

// Reason is the text of an error as the reason of a status. Errors that were joined, a line each, become clauses.
func Reason(err error) string { return strings.ReplaceAll(err.Error(), "\n", "; ") }

// Causes lists causes with their counts.
func Causes(by map[string]int64) string {
	var list []string
	for _, cause := range slices.Sorted(maps.Keys(by)) {
		list = append(list, fmt.Sprintf("%s (%d)", cause, by[cause]))
	}
	return strings.Join(list, ", ")
}

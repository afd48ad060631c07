package scenarios

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"
)

// quoteLimit is the number of characters of a value that an error shows.
const quoteLimit = 80

// An Error describes in one sentence a mistake in a scenario, its position, and the allowed values.
// Line and Column count from 1. Both are 0 if the error concerns the whole file.
type Error struct {
	File    string `json:"file"`
	Line    int    `json:"line,omitempty"`
	Column  int    `json:"column,omitempty"` // in characters
	Field   string `json:"field,omitempty"`  // path of the field, such as payload.sizes[1].weight
	Value   string `json:"value,omitempty"`  // as written: quoted, escaped and cut at 80 characters
	Message string `json:"message"`          // the mistake and the allowed values
	Hint    string `json:"hint,omitempty"`   // the probable intention

	cause error
}

// Error returns the sentence: file:line:column: field: value … is not allowed; allowed: …
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(filename(e.File))
	if e.Line > 0 {
		fmt.Fprintf(&b, ":%d:%d", e.Line, e.Column)
	}
	b.WriteString(": ")
	if e.Field != "" {
		b.WriteString(e.Field + ": ")
	}
	if e.Value != "" {
		b.WriteString("value " + e.Value + " ")
	}
	b.WriteString(e.Message)
	if e.Hint != "" {
		b.WriteString("; " + e.Hint)
	}
	return b.String()
}

// Unwrap returns the error of the reader or of the operating system, if there is one.
func (e *Error) Unwrap() error { return e.cause }

// credentials matches the user name and the password of a URL.
var credentials = regexp.MustCompile(`//[^/?#]*@`)

// quote returns text in double quotes, escaped, and cut at quoteLimit characters. It hides the credentials of a URL.
func quote(text string) string {
	// Cutting first avoids escaping a value of a megabyte.
	text = credentials.ReplaceAllLiteralString(text[:min(len(text), utf8.UTFMax*quoteLimit)], "//xxxxx@")
	quoted := []rune(strconv.Quote(text))
	if len(quoted) <= quoteLimit {
		return string(quoted)
	}
	return string(quoted[:quoteLimit-2]) + `…"`
}

// bare returns text itself if it is short and safe to print, and else its quoted form.
func bare(text string) string {
	if q := quote(text); q != `"`+text+`"` {
		return q
	}
	return text
}

// filename does the same for the name of a file, which it never cuts.
func filename(name string) string {
	if q := strconv.Quote(name); name == "" || q != `"`+name+`"` {
		return q
	}
	return name
}

// didYouMean returns a hint with the known word that is closest to a mistyped one, or "" if none is
// close.
func didYouMean(typed string, known []string) string { return meant(closest(typed, known)) }

// meant returns a hint with a word; "": none.
func meant(word string) string {
	if word == "" {
		return ""
	}
	return fmt.Sprintf("did you mean `%s`?", word)
}

// closest returns the known word that is closest to a mistyped one, or "" if none is close.
func closest(typed string, known []string) (best string) {
	least := 1 + len([]rune(typed))/3
	for _, word := range known {
		if d := distance(strings.ToLower(typed), word, least); d < least || best == "" && d == least {
			best, least = word, d
		}
	}
	return best
}

// distance counts the letters to insert, delete, replace or swap with their neighbour to get from a to
// b (optimal string alignment). Above the limit it returns any larger number: a mistyped key may be a
// megabyte long.
func distance(a, b string, limit int) int {
	x, y := []rune(a), []rune(b)
	if max(len(x)-len(y), len(y)-len(x)) > limit {
		return limit + 1
	}
	before, last := make([]int, len(y)+1), make([]int, len(y)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(x); i++ {
		row := make([]int, len(y)+1)
		row[0] = i
		for j := 1; j <= len(y); j++ {
			change := 1
			if x[i-1] == y[j-1] {
				change = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+change)
			if i > 1 && j > 1 && x[i-1] == y[j-2] && x[i-2] == y[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last = last, row
	}
	return last[len(y)]
}

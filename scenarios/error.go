package scenarios

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// quoteLimit is how many characters of a value an error shows.
const quoteLimit = 80

// An Error says in one sentence what is wrong with a scenario, where, and what
// would be right. Line and Column count from 1; both are 0 where the file as a
// whole is meant.
type Error struct {
	File    string `json:"file"`
	Line    int    `json:"line,omitempty"`
	Column  int    `json:"column,omitempty"` // in characters
	Field   string `json:"field,omitempty"`  // path of the field, such as payload.sizes[1].weight
	Value   string `json:"value,omitempty"`  // as written: quoted, escaped and cut at 80 characters
	Message string `json:"message"`          // what is wrong and what is allowed
	Hint    string `json:"hint,omitempty"`   // what was probably meant

	cause error
}

// Error is the sentence: file:line:column: field: value … is not allowed; allowed: …
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

// Unwrap is the error of the reader or of the operating system, where there is one.
func (e *Error) Unwrap() error { return e.cause }

// quote shows text in double quotes, escaped, and cut at quoteLimit characters.
func quote(text string) string {
	// Cutting first keeps a value of a megabyte from being escaped for nothing.
	quoted := []rune(strconv.Quote(text[:min(len(text), utf8.UTFMax*quoteLimit)]))
	if len(quoted) <= quoteLimit {
		return string(quoted)
	}
	return string(quoted[:quoteLimit-2]) + `…"`
}

// bare is text itself where that is short and harmless to print, else its quoted form.
func bare(text string) string {
	if q := quote(text); q != `"`+text+`"` {
		return q
	}
	return text
}

// filename is the same for the name of a file, which is useless when it is cut.
func filename(name string) string {
	if q := strconv.Quote(name); q != `"`+name+`"` {
		return q
	}
	return name
}

// didYouMean is a hint at the known word nearest to a mistyped one, or nothing
// where none is near enough to be more than a guess.
func didYouMean(typed string, known []string) string {
	best, nearest := "", 1+len([]rune(typed))/3
	for _, word := range known {
		if d := distance(strings.ToLower(typed), word, nearest); d < nearest || best == "" && d == nearest {
			best, nearest = word, d
		}
	}
	if best == "" {
		return ""
	}
	return fmt.Sprintf("did you mean `%s`?", best)
}

// distance counts the letters to insert, delete, replace or swap with their
// neighbour to get from a to b (optimal string alignment). Beyond the limit
// it only says that it is more: a mistyped key may be a megabyte long.
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

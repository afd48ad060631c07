package inspect

import (
	"fmt"
	"io"
	"strings"
	"time"
	"unicode"
)

// width of a line of print, in characters.
const width = 100

// Print writes the exchange line by line.
func (e *Exchange) Print(w io.Writer) error {
	var b strings.Builder
	t := e.Target
	fmt.Fprintf(&b, "%s at %s\n\n", t.Kind, visible(t.URL.String()))
	const head = "%s, %d bytes with the empty line that ends it\n"
	printLines(&b, fmt.Sprintf(head, "request", headBytes(e.Request)), e.Request)
	printLines(&b, fmt.Sprintf(head, "answer", headBytes(e.Answer)), e.Answer)
	printLines(&b, "behind the header\n", e.After)
	fmt.Fprintf(&b, "stages, since the dial began\n")
	for i, s := range e.Stages {
		step := s.At
		if i > 0 {
			step -= e.Stages[i-1].At
		}
		fmt.Fprintf(&b, "  %10s  + %-10s %s\n", millis(s.At), millis(step), s.Name)
	}
	fmt.Fprintf(&b, "\nbytes on the connection: %d up, %d down\n", e.Up, e.Down)
	if e.Failed != nil {
		fmt.Fprintf(&b, "it ended early: %v\n", e.Failed)
	}
	if wrong := e.Wrong(); len(wrong) > 0 {
		fmt.Fprintf(&b, "\nwrong:\n")
		for _, l := range wrong {
			fmt.Fprintf(&b, "  %s: %s\n", visible(l.Text), l.Why)
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// printLines writes each line with its size, what it is for under it, and a verdict if there
// is one.
func printLines(b *strings.Builder, title string, lines []Line) {
	if len(lines) == 0 {
		return
	}
	b.WriteString(title)
	for _, l := range lines {
		size := fmt.Sprint(l.Bytes)
		if l.Bytes == 0 {
			size = "–"
		}
		text := visible(l.Text)
		if l.Grade != Plain {
			text = fmt.Sprintf("%-*s  %s", width-20, text, l.Grade)
		}
		fmt.Fprintf(b, "%7s  %s\n", size, text)
		about := l.For
		if l.Why != "" {
			about = strings.TrimPrefix(about+"; "+l.Why, "; ")
		}
		wrap(b, "         ", about)
	}
	b.WriteString("\n")
}

// wrap writes words under one another.
func wrap(b *strings.Builder, indent, text string) {
	line := indent
	for word := range strings.FieldsSeq(text) {
		if len([]rune(line))+len([]rune(word)) >= width && line != indent {
			b.WriteString(strings.TrimRight(line, " ") + "\n")
			line = indent
		}
		line += word + " "
	}
	if line != indent {
		b.WriteString(strings.TrimRight(line, " ") + "\n")
	}
}

// visible keeps a server from writing to the terminal by other means than text.
func visible(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return '\uFFFD'
	}, text)
}

func millis(d time.Duration) string { return fmt.Sprintf("%.3f ms", d.Seconds()*1e3) }

// PrintSideBySide writes what several exchanges took, a row each.
func PrintSideBySide(w io.Writer, all []*Exchange) error {
	var b strings.Builder
	fmt.Fprintf(&b, "side by side\n  %-10s %6s  %11s %8s %8s %8s %8s %13s  %s\n",
		"", "status", "round trips", "request", "answer", "up", "down", "to the header", "URL")
	for _, e := range all {
		at := "–"
		for _, s := range e.Stages {
			if s.Name == headerComplete {
				at = millis(s.At)
			}
		}
		fmt.Fprintf(&b, "  %-10s %6d  %11d %6d B %6d B %6d B %6d B %13s  %s\n", e.Target.Kind, e.Status, e.RoundTrips,
			headBytes(e.Request), headBytes(e.Answer), e.Up, e.Down, at, visible(e.Target.URL.String()))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// PrintTrials writes what a server made of each attempt.
func PrintTrials(w io.Writer, all []Trial) error {
	var b strings.Builder
	for _, part := range []struct {
		title  string
		refuse bool
	}{{"handshakes that a server must refuse", true}, {"handshakes that it must not", false}} {
		fmt.Fprintf(&b, "%s\n", part.title)
		for _, t := range all {
			if t.Refuse != part.refuse {
				continue
			}
			answer := fmt.Sprint(t.Status)
			if t.Status == 0 {
				answer = "no answer"
			}
			fmt.Fprintf(&b, "  %-6s %-34s %-10s %s\n", t.Grade, t.Name, answer, t.Why)
			if t.Grade == Wrong {
				wrap(&b, "         ", t.Source)
			}
		}
		b.WriteString("\n")
	}
	_, err := io.WriteString(w, b.String())
	return err
}

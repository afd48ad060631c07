package inspect

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
	"unicode"
)

// width is the width of a printed line in characters.
const width = 100

// Print writes the exchange line by line.
func (e *Exchange) Print(w io.Writer) error {
	var b strings.Builder
	t := e.Target
	fmt.Fprintf(&b, "%s at %s\n\n", t.Kind, visible(t.URL.String()))
	const title = "%s header: %d bytes including the final empty line\n"
	printLines(&b, fmt.Sprintf(title, "request", headerBytes(e.Request)), hidden(e.Request))
	printLines(&b, "interim responses\n", e.Interim)
	printLines(&b, fmt.Sprintf(title, "response", headerBytes(e.Response)), e.Response)
	printLines(&b, "after the header\n", e.After)
	fmt.Fprintf(&b, "stages: time since the start of the connection, + time since the previous stage\n")
	for i, s := range e.Stages {
		step := s.At
		if i > 0 {
			step -= e.Stages[i-1].At
		}
		fmt.Fprintf(&b, "  %10s  + %-10s %s\n", millis(s.At), millis(step), s.Name)
	}
	fmt.Fprintf(&b, "\nbytes on the connection: %d up, %d down\n", e.Up, e.Down)
	printGraded(&b, "incorrect", e.Wrong())
	printGraded(&b, "no answer", e.Graded(NoAnswer))
	printGraded(&b, "contestable", e.Graded(Contestable))
	_, err := io.WriteString(w, b.String())
	return err
}

// secret are the fields of requests whose values are not shown.
var secret = []string{"Authorization", "Cookie", "Proxy-Authorization"}

func isSecret(name string) bool {
	return slices.ContainsFunc(secret, func(one string) bool { return equalFold(one, name) })
}

// hidden returns the lines of a request without secret values.
func hidden(lines []Line) []Line {
	lines = slices.Clone(lines)
	for i, l := range lines {
		if name, value, _ := strings.Cut(l.Text, ":"); isSecret(name) {
			lines[i].Text = fmt.Sprintf("%s: (%d bytes)", name, len(trimOWS(value)))
			lines[i].For += "; its value is not shown"
		}
	}
	return lines
}

// printGraded repeats lines with their reasons.
func printGraded(b *strings.Builder, title string, lines []Line) {
	if len(lines) == 0 {
		return
	}
	fmt.Fprintf(b, "\n%s:\n", title)
	for _, l := range lines {
		fmt.Fprintf(b, "  %s: %s\n", visible(l.Text), visible(l.Why))
	}
}

// printLines writes each line with its size and grade, and its explanation below.
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
		explanation := l.For
		if l.Why != "" {
			explanation = strings.TrimPrefix(explanation+"; "+l.Why, "; ")
		}
		wrap(b, "         ", visible(explanation))
	}
	b.WriteString("\n")
}

// wrap writes a text in indented lines.
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

// visible replaces characters that could control the terminal or reverse the text, and tabs by
// spaces. Spaces of any kind, joiners and letters stay.
func visible(text string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\t':
			return ' '
		case unicode.IsGraphic(r), r == '\u200c', r == '\u200d':
			return r
		}
		return '\uFFFD'
	}, text)
}

func millis(d time.Duration) string { return fmt.Sprintf("%.3f ms", d.Seconds()*1e3) }

// PrintSideBySide writes a table of several exchanges.
func PrintSideBySide(w io.Writer, all []*Exchange) error {
	var b strings.Builder
	fmt.Fprintf(&b, "side by side\n  %-10s %6s  %11s %8s %8s %8s %8s %13s  %s\n",
		"", "status", "round trips", "request", "response", "up", "down", "to the header", "URL")
	for _, e := range all {
		at := "–"
		for _, s := range e.Stages {
			if s.Name == headerComplete {
				at = millis(s.At)
			}
		}
		fmt.Fprintf(&b, "  %-10s %6d  %11d %6d B %6d B %6d B %6d B %13s  %s\n", e.Target.Kind, e.Status, e.RoundTrips,
			headerBytes(e.Request), headerBytes(e.Response), e.Up, e.Down, at, visible(e.Target.URL.String()))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// PrintReactions writes the reaction of a server to each handshake.
func PrintReactions(w io.Writer, all []Reaction) error {
	var b strings.Builder
	for _, part := range []struct {
		title  string
		refuse bool
	}{{"handshakes that a server must refuse", true}, {"handshakes that a server must not refuse", false}} {
		fmt.Fprintf(&b, "%s\n", part.title)
		for _, r := range all {
			if r.Refuse != part.refuse {
				continue
			}
			status := fmt.Sprint(r.Status)
			if r.Status == 0 {
				status = "no response"
			}
			fmt.Fprintf(&b, "  %-11s %-34s %-11s %s\n", r.Grade, r.Name, status, visible(r.Why))
			if r.Grade == Wrong {
				wrap(&b, "         ", r.Source)
			}
		}
		b.WriteString("\n")
	}
	_, err := io.WriteString(w, b.String())
	return err
}

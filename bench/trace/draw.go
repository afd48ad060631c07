package trace

import (
	"fmt"
	"html"
	"io"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// silence is the minimum length of a pause that the diagram mentions.
const silence = 50 * time.Millisecond

// Summary counts bytes, connections, requests and frames in one line.
func (t Trace) Summary() string {
	text := fmt.Sprintf("%d B up, %d B down, %s, %s", t.Up, t.Down, count(t.Connections, "connection"), count(t.Requests, "HTTP request"))
	if t.Frames > 0 {
		text += ", " + count(t.Frames, "frame")
	}
	return text
}

func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return strconv.Itoa(n) + " " + noun + "s"
}

// label returns the text on the arrow of a step.
func (t Trace) label(s Step) string {
	text := s.Text
	if s.Bytes > 0 {
		text += fmt.Sprintf(" · %d B", s.Bytes)
	}
	if t.Connections > 1 && s.Connection > 0 {
		text = fmt.Sprintf("[%d] %s", s.Connection, text)
	}
	return text
}

func milliseconds(d time.Duration) string {
	return strconv.FormatFloat(float64(d)/float64(time.Millisecond), 'f', 2, 64)
}

// pauseLabel describes a pause without traffic.
func pauseLabel(d time.Duration) string {
	return fmt.Sprintf("no traffic for %s ms", milliseconds(d))
}

// The columns of the ladder in a terminal: for the time, and between client and server.
const (
	timeColumns   = 10
	ladderColumns = 88
	leastColumns  = 40 // fewer would cut nearly all labels
)

// Text draws the ladder with characters, at most columns wide; 0 is 100 columns. Longer labels are cut.
func (t Trace) Text(w io.Writer, columns int) error {
	l := ladder(ladderColumns)
	if columns > 0 {
		l = ladder(min(ladderColumns, max(leastColumns, columns-timeColumns-2)))
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s\n\n", t.Title, t.Summary())
	fmt.Fprintf(&b, "%*s  client%sserver\n", timeColumns-2, "ms", strings.Repeat(" ", int(l)-12))
	last := time.Duration(0)
	for _, s := range t.Steps {
		if s.At-last > silence {
			fmt.Fprintf(&b, "%*s%s\n", timeColumns, "", l.between("⋮ ", pauseLabel(s.At-last), "", ' '))
		}
		last = s.At
		fmt.Fprintf(&b, "%*s  %s\n", timeColumns-2, milliseconds(s.At), l.rung(s.Kind, t.label(s)))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// A ladder is the number of columns from the client to the server.
type ladder int

// rung draws a step in one line.
func (l ladder) rung(kind Kind, label string) string {
	switch kind {
	case Open, Up:
		return l.between("── ", label, "─▶", '─')
	case Down:
		return l.between("◀─ ", label, "──", '─')
	case AtServer:
		return strings.Repeat(" ", max(0, int(l)-utf8.RuneCountInString(label)-2)) + label + " ●"
	default:
		return "● " + label
	}
}

// between fills a label up to the width of the ladder.
func (l ladder) between(left, label, right string, fill rune) string {
	room := int(l) - utf8.RuneCountInString(left) - utf8.RuneCountInString(right) - 1
	label = shortened(label, room)
	return left + label + " " + strings.Repeat(string(fill), room-utf8.RuneCountInString(label)) + right
}

// shortened cuts a label to a number of columns, and keeps the bytes at its end.
func shortened(label string, room int) string {
	size := ""
	if i := strings.LastIndex(label, " · "); i >= 0 {
		size = label[i:]
	}
	runes := []rune(label)
	if kept := room - utf8.RuneCountInString(size) - 1; len(runes) > room && kept >= 0 {
		return string(runes[:kept]) + "…" + size
	}
	return label
}

// Presentation attributes of the SVG image. It has no styles, because a content security policy such as
// style-src 'self' ignores them.
const (
	soft  = ` fill="#5b636b" font-size="11"`
	bold  = ` font-weight="bold"`
	title = ` font-size="17" font-weight="bold"`
	line  = ` stroke="#0072b2" stroke-width="1.4" fill="none"`
	head  = ` fill="#0072b2"`
	rail  = ` stroke="#c9ced3" stroke-width="2"`
)

// SVG draws the ladder as an SVG image.
func (t Trace) SVG(w io.Writer) error {
	const (
		width, left, right = 860, 110, 790
		step, top          = 26, 86
	)
	var b strings.Builder
	y, last := top, time.Duration(0)
	text := func(x, y int, anchor, attributes, s string) {
		fmt.Fprintf(&b, `<text x="%d" y="%d" text-anchor="%s"%s>%s</text>`+"\n", x, y, anchor, attributes, html.EscapeString(s))
	}
	arrow := func(from, to, back int, label string) {
		fmt.Fprintf(&b, `<path d="M%d %dH%d"%s/><path d="M%d %dL%d %dL%d %dZ"%s/>`+"\n", from, y, to, line, to, y, back, y-4, back, y+4, head)
		text((left+right)/2, y-5, "middle", "", label)
	}
	dot := func(x, label int, anchor, what string) {
		fmt.Fprintf(&b, `<circle cx="%d" cy="%d" r="4"%s/>`+"\n", x, y, head)
		text(label, y+4, anchor, bold, what)
	}
	for _, s := range t.Steps {
		if s.At-last > silence {
			text((left+right)/2, y-4, "middle", soft, "⋮ "+pauseLabel(s.At-last))
			y += step
		}
		last = s.At
		text(left-14, y+4, "end", soft, milliseconds(s.At))
		switch s.Kind {
		case Open, Up:
			arrow(left, right, right-9, t.label(s))
		case Down:
			arrow(right, left, left+9, t.label(s))
		case AtServer:
			dot(right, right-12, "end", s.Text)
		default:
			dot(left, left+12, "start", s.Text)
		}
		y += step
	}
	_, err := fmt.Fprintf(w, `<svg xmlns="http://www.w3.org/2000/svg" width="%[1]d" height="%[2]d" viewBox="0 0 %[1]d %[2]d" role="img" aria-label="%[3]s"`+
		` font-family="Liberation Sans,Arimo,Arial,Helvetica,sans-serif" font-size="13" fill="#1c1f23">
<rect width="%[1]d" height="%[2]d" rx="6" fill="#fff"/>
<text x="20" y="28"`+title+`>%[4]s</text>
<text x="20" y="46"`+soft+`>%[5]s · times in ms since the first connection opened</text>
<text x="%[6]d" y="68" text-anchor="middle"`+bold+`>client</text><text x="%[7]d" y="68" text-anchor="middle"`+bold+`>server</text>
<path d="M%[6]d 74V%[8]dM%[7]d 74V%[8]d"`+rail+`/>
%[9]s</svg>
`, width, y+4, html.EscapeString(t.Title+": "+t.Summary()), html.EscapeString(t.Title), html.EscapeString(t.Summary()), left, right, y-8, b.String())
	return err
}

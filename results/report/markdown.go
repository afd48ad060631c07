package report

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"pushbench/results"
)

// commentRows limits the tables of a comment: GitHub refuses comments of more than 65,536 characters.
const commentRows = 200

// Comment writes the brief sections of the document as a short comment on a pull request, in GitHub Markdown.
// An invalid run has no table, as its values must not be quoted.
func (d Document) Comment(w io.Writer) error {
	d = d.within(Brief)
	d.Sections = slices.DeleteFunc(d.Sections, func(s Section) bool { return d.Badge == string(results.Invalid) && len(s.Rows) > 0 })
	for i := range d.Sections {
		s := &d.Sections[i]
		s.Note = ""
		if more := len(s.Rows) - commentRows; more > 0 {
			s.Rows = s.Rows[:commentRows]
			s.Note = some(more, "more row") + " in the run's report."
		}
	}
	return d.Markdown(w)
}

// Markdown writes the document as GitHub Markdown.
func (d Document) Markdown(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "# %s\n\n", markdownText(strings.TrimSuffix(d.Title+": "+d.Badge, ": ")))
	if d.Question != "" {
		fmt.Fprintf(&b, "> %s\n\n", markdownText(d.Question))
	}
	paragraphs := func(all []Paragraph) {
		for _, p := range all {
			fmt.Fprintf(&b, "- %s\n", markdownText(p.Text))
			for _, entry := range p.Items {
				fmt.Fprintf(&b, "  - %s\n", markdownText(entry))
			}
		}
	}
	paragraphs(d.headline())
	for _, s := range d.Sections {
		fmt.Fprintf(&b, "\n## %s\n\n", markdownText(s.Title))
		paragraphs(s.Paragraphs)
		s.markdownTable(&b)
		for _, note := range s.notes() {
			fmt.Fprintf(&b, "\n%s\n", markdownText(note))
		}
		for _, command := range s.Code {
			fmt.Fprintf(&b, "\n    %s\n", results.Plain(command))
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func (s Section) markdownTable(b *strings.Builder) {
	if len(s.Rows) == 0 {
		return
	}
	if len(s.Paragraphs) > 0 {
		b.WriteString("\n")
	}
	for _, c := range s.Columns {
		b.WriteString("| " + markdownText(c.String()) + " ")
	}
	b.WriteString("|\n|" + strings.Repeat(" --- |", len(s.Columns)) + "\n")
	for _, row := range s.Rows {
		for _, c := range row.Cells {
			b.WriteString("| " + markdownText(c.Text) + " ")
		}
		b.WriteString("|\n")
	}
}

// markdownSpecial escapes the characters that Markdown, or HTML in it, interprets. A backslash before
// punctuation is shown as the punctuation: CommonMark 0.31, section 2.4.
var markdownSpecial = strings.NewReplacer(
	`\`, `\\`, "|", `\|`, "<", `\<`, ">", `\>`, "&", `\&`, "`", "\\`", "*", `\*`, "_", `\_`,
	"[", `\[`, "]", `\]`, "!", `\!`, "#", `\#`, "~", `\~`)

// markdownText makes any string plain text inside a line of Markdown.
func markdownText(s string) string { return markdownSpecial.Replace(results.Plain(s)) }

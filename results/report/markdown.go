package report

import (
	"fmt"
	"io"
	"strings"

	"pushbench/results"
)

// Markdown writes the summary of a run as GitHub Markdown.
func (r *Report) Markdown(w io.Writer) error {
	m := r.Run.Manifest
	return writeMarkdown(w, fmt.Sprintf("%s: %s", m.Workload.Scenario, statusText(m.Status)), m.Workload.Question, r.Sentences(), r.sections())
}

// writeMarkdown writes sentences and tables as GitHub Markdown. The question follows the title.
func writeMarkdown(w io.Writer, title, question string, sentences []string, tables []section) error {
	var b strings.Builder
	fmt.Fprintf(&b, "# %s\n\n", markdownText(title))
	if question != "" {
		fmt.Fprintf(&b, "> %s\n\n", markdownText(question))
	}
	for _, sentence := range sentences {
		entry, isItem := strings.CutPrefix(sentence, item)
		fmt.Fprintf(&b, "%s- %s\n", map[bool]string{true: item}[isItem], markdownText(entry))
	}
	row := func(cells []string) {
		for _, c := range cells {
			b.WriteString("| " + markdownText(c) + " ")
		}
		b.WriteString("|\n")
	}
	for _, t := range tables {
		fmt.Fprintf(&b, "\n## %s\n\n", markdownText(t.Title))
		row(t.Heading)
		b.WriteString("|" + strings.Repeat(" --- |", len(t.Heading)) + "\n")
		for _, l := range t.Rows {
			row(l.Cells)
		}
		for note := range strings.Lines(t.Note) {
			fmt.Fprintf(&b, "\n%s\n", markdownText(strings.TrimSuffix(note, "\n")))
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// markdownSpecial escapes the characters that Markdown, or HTML in it, interprets. A backslash before
// punctuation is shown as the punctuation: CommonMark 0.31, section 2.4.
var markdownSpecial = strings.NewReplacer(
	`\`, `\\`, "|", `\|`, "<", `\<`, ">", `\>`, "&", `\&`, "`", "\\`", "*", `\*`, "_", `\_`,
	"[", `\[`, "]", `\]`, "!", `\!`, "#", `\#`, "~", `\~`)

// markdownText makes any string plain text inside a line of Markdown.
func markdownText(s string) string { return markdownSpecial.Replace(results.Plain(s)) }

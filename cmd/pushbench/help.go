package main

import (
	"bytes"
	"io"
	"regexp"
	"strings"

	"github.com/spf13/cobra"

	"pushbench/results/report"
)

// helpWidth is the number of columns of help, those of a terminal as it opens.
const helpWidth = 80

// wrapHelp makes the help of all commands fit into helpWidth columns.
func wrapHelp(root *cobra.Command) {
	whole := root.HelpFunc()
	root.SetHelpFunc(func(c *cobra.Command, args []string) {
		out := c.OutOrStdout()
		var text bytes.Buffer
		c.SetOut(&text)
		whole(c, args)
		c.SetOut(out)
		_, _ = io.WriteString(out, wrapped(text.String())) // run looks at the errors of its output
	})
}

// columns matches a line of a table: a term, and its explanation after several spaces.
var columns = regexp.MustCompile(`^( +\S.*? {2,})(\S.*)$`)

// wrapped breaks paragraphs, and the explanations of flags and commands, at helpWidth columns. Examples and other indented
// lines stay as they are: a reader copies them.
func wrapped(text string) string {
	var lines, paragraph []string
	end := func() {
		if paragraph != nil {
			lines = append(lines, report.Wrapped(strings.Join(paragraph, " "), helpWidth)...)
		}
		paragraph = nil
	}
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, " \n")
		if line != "" && line == strings.TrimLeft(line, " \t") {
			paragraph = append(paragraph, line)
			continue
		}
		end()
		row := columns.FindStringSubmatch(line)
		if row == nil || len([]rune(line)) <= helpWidth {
			lines = append(lines, line)
			continue
		}
		for i, part := range report.Wrapped(row[2], helpWidth-len([]rune(row[1]))) {
			if i > 0 {
				row[1] = strings.Repeat(" ", len([]rune(row[1])))
			}
			lines = append(lines, row[1]+part)
		}
	}
	end()
	return strings.Join(lines, "\n") + "\n"
}

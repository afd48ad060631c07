package main

import (
	"cmp"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"pushbench/cmd/internal/app"
)

// docs/cli.md lists the commands, flags and defaults of the program. It states those of Linux.
func TestCommandsAreDocumented(t *testing.T) {
	comparePart(t, "docs/cli.md", "commands", commandPages())
	page := readPage(t, "docs/cli.md")
	for code := app.OK; code <= app.Inconclusive; code++ {
		if !strings.Contains(page, fmt.Sprintf("\n| %d | ", code)) {
			t.Errorf("docs/cli.md does not explain exit code %d", code)
		}
	}
}

// commandPages documents the commands that users run, in the order of help.
func commandPages() string {
	root := newRootCommand()
	addCompletion(root)
	var b strings.Builder
	for _, name := range append(strings.Split(commands, ", "), "completion") {
		c, _, err := root.Find([]string{name})
		if err != nil {
			panic(err) // commands lists one that does not exist
		}
		describeCommand(&b, c, "## "+name)
		if name == "completion" {
			continue // cobra documents its shells
		}
		for _, sub := range c.Commands() {
			describeCommand(&b, sub, "### "+name+" "+sub.Name())
		}
	}
	return b.String()
}

func describeCommand(b *strings.Builder, c *cobra.Command, heading string) {
	usage := c.UseLine()
	for _, sub := range c.Commands() {
		usage += "\n" + sub.UseLine()
	}
	long := strings.TrimSpace(strings.Replace(cmp.Or(c.Long, c.Short+"."), exitHelp, "", 1))
	fmt.Fprintf(b, "\n%s\n\n```text\n%s\n\n%s\n```\n", heading, usage, long)
	if c.Example != "" {
		fmt.Fprintf(b, "\nExamples:\n\n```text\n%s\n```\n", c.Example)
	}
	var rows strings.Builder
	c.LocalFlags().VisitAll(func(f *pflag.Flag) {
		if !f.Hidden && f.Name != "help" {
			rows.WriteString(flagRow(f))
		}
	})
	if rows.Len() > 0 {
		fmt.Fprintf(b, "\n| flag | value | default | meaning |\n|---|---|---|---|\n%s", &rows)
	}
	if old := c.Annotations[deprecatedHelp]; old != "" {
		fmt.Fprintf(b, "\n%s\n", old)
	}
}

// statedDefault finds the default in the description of a flag whose zero value means another one.
var statedDefault = regexp.MustCompile(`(; | \()default: ([^)]*)\)$`)

// valueTypes names the types of flags.
var valueTypes = map[string]string{
	"bool": "", "string": "text", "stringSlice": "list", "stringArray": "text, repeatable",
	"int": "number", "uint64": "number", "float64": "number", "duration": "duration",
}

func flagRow(f *pflag.Flag) string {
	name, initial, meaning := "`--"+f.Name+"`", strings.Trim(f.DefValue, "[]"), f.Usage
	if f.Shorthand != "" {
		name = "`-" + f.Shorthand + "`, " + name
	}
	if f.Value.Type() == "bool" {
		initial = "off"
	}
	if m := statedDefault.FindStringSubmatch(meaning); m != nil {
		initial, meaning = m[2], strings.TrimSuffix(meaning, m[0])
		if m[1] == "; " {
			meaning += ")"
		}
	}
	return fmt.Sprintf("| %s | %s | %s | %s |\n", name, valueTypes[f.Value.Type()], cell(cmp.Or(initial, "none")), cell(meaning))
}

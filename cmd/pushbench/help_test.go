package main

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// A terminal of 80 columns would break longer lines in the middle of words. Commands to copy and words that cannot be
// broken, such as URLs, stay whole.
func TestHelpAndListsFitEightyColumns(t *testing.T) {
	lines := [][]string{{"target", "list"}, {"prices"}, {"list"}}
	var every func(c *cobra.Command, path []string)
	every = func(c *cobra.Command, path []string) {
		lines = append(lines, append([]string{"help"}, path...), append(path, "--help"))
		for _, sub := range c.Commands() {
			every(sub, append(path[:len(path):len(path)], sub.Name()))
		}
	}
	root := newRootCommand()
	addCompletion(root)
	every(root, nil)
	for _, args := range lines {
		var stdout, stderr bytes.Buffer
		if code := run(t.Context(), args, strings.NewReader(""), &stdout, &stderr); code != 0 || stdout.Len() == 0 {
			t.Errorf("%q: exit code %d, %d bytes: %s", args, code, stdout.Len(), stderr.String())
		}
		for line := range strings.Lines(stdout.String()) {
			text := []rune(strings.TrimRight(line, "\n"))
			first, _, _ := strings.Cut(strings.TrimSpace(line), ": ")
			word := !strings.Contains(strings.TrimSpace(line), " ") || first == "url"
			if len(text) > helpWidth && !word && !strings.HasPrefix(line, "  pushbench ") {
				t.Errorf("%q: %d columns: %s", args, len(text), line)
			}
		}
	}
}

// A value that a flag cannot have is refused with what the flag takes.
func TestBadValueOfEveryFlagIsExplained(t *testing.T) {
	kinds := map[string]bool{}
	var every func(c *cobra.Command)
	every = func(c *cobra.Command) {
		c.Flags().VisitAll(func(f *pflag.Flag) {
			var invalid *pflag.InvalidValueError
			if err := c.Flags().Set(f.Name, "\x01"); errors.As(err, &invalid) {
				kinds[f.Value.Type()] = true
				if text := badFlag(c, err).Error(); strings.HasSuffix(text, "is not ") {
					t.Errorf("%s: %s", c.CommandPath(), text)
				}
			}
		})
		for _, sub := range c.Commands() {
			every(sub)
		}
	}
	every(newRootCommand())
	if !kinds["float64"] || !kinds["duration"] {
		t.Errorf("only these kinds of values were refused: %v", kinds)
	}
}

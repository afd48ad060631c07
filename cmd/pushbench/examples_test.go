package main

import (
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"pushbench/cmd/internal/app"
	"pushbench/scenarios"
)

var (
	block   = regexp.MustCompile("(?ms)^```.*?^```$|^    .*?$")
	command = regexp.MustCompile(`(?m)^ *(?:\S*bin/)?pushbench ([a-z]+(?: [^ \n>;&|]+)*)`) // before a comment or a redirection
	mention = regexp.MustCompile("`pushbench ([a-z]+[^`]*)`")
	word    = regexp.MustCompile(`'([^']*)'|"([^"]*)"|([^\s'"]+)`)
)

// arguments splits a command line at spaces outside quotes.
func arguments(line string) (all []string) {
	for _, m := range word.FindAllStringSubmatch(line, -1) {
		all = append(all, m[1]+m[2]+m[3])
	}
	return all
}

// The commands in the pages exist, with their flags, arguments and scenarios.
func TestExamplesAreValid(t *testing.T) {
	examples := 0
	for name := range readPages(t) {
		if strings.HasPrefix(name, "results/") || name == "CHANGELOG.md" || name == "docs/cli.md" {
			continue // the commands of other builds, or generated
		}
		text, err := os.ReadFile(filepath.Join(moduleRoot(t), filepath.FromSlash(name)))
		if err != nil {
			t.Fatal(err)
		}
		for _, code := range block.FindAllString(string(text), -1) {
			for _, m := range command.FindAllStringSubmatch(code, -1) {
				examples++
				if err := refuse(arguments(m[1])); err != nil {
					t.Errorf("%s: pushbench %s: %v", name, m[1], err)
				}
			}
		}
		for _, m := range mention.FindAllStringSubmatch(block.ReplaceAllString(string(text), ""), -1) {
			examples++
			if err := refuseNames(arguments(m[1])); err != nil {
				t.Errorf("%s: pushbench %s: %v", name, m[1], err)
			}
		}
	}
	if examples < 50 {
		t.Errorf("%d examples, want 50 or more", examples)
	}
}

func TestWrongExamplesAreRefused(t *testing.T) {
	for _, line := range []string{"rnu chat", "run", "run chta", "run chat --repetition 12", "run chat --repetitions many", "compare A"} {
		if refuse(arguments(line)) == nil {
			t.Errorf("pushbench %s is accepted", line)
		}
	}
	for _, line := range []string{"rnu", "run --repetition"} {
		if refuseNames(arguments(line)) == nil {
			t.Errorf("pushbench %s is accepted as a mention", line)
		}
	}
}

// refuse returns the mistake of a command line, which it does not run. A path, or a placeholder in capital
// letters, in place of a scenario is not read.
func refuse(args []string) error {
	root := newRootCommand()
	addCompletion(root)
	c, rest, err := root.Find(args)
	if err != nil {
		return err
	}
	if err := errors.Join(unknownCommand(root, args), c.ParseFlags(rest)); err != nil {
		return err
	}
	given := c.Flags().Args()
	if err := c.ValidateArgs(given); err != nil || len(given) == 0 {
		return err
	}
	switch c.Name() {
	case "run", "list", "capacity", "crossover":
		if !strings.Contains(given[0], ".yaml") && strings.ToUpper(given[0]) != given[0] {
			_, err = scenarios.Load(given[0])
		}
	}
	return err
}

// refuseNames returns an unknown command or flag of a mention, which may lack arguments.
func refuseNames(args []string) error {
	root := newRootCommand()
	addCompletion(root)
	c, rest, err := root.Find(args)
	if err != nil {
		return err
	}
	for _, arg := range rest {
		flag, isFlag := strings.CutPrefix(arg, "--")
		flag, _, _ = strings.Cut(flag, "=")
		if isFlag && c.Flags().Lookup(flag) == nil {
			return app.Usagef("unknown flag --%s", flag)
		}
	}
	return unknownCommand(root, args)
}

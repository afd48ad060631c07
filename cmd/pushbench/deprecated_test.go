package main

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"pushbench/cmd/internal/app"
)

// values are arguments that each renamed flag takes.
var values = map[string]string{
	"repetitions": "3", "library": "nethttp", "batching-delay": "5ms", "baseline": "pushbench", "allow-idle": "true", "inject": "drop=2",
	"require": "p(99)<1s", "max": "50", "max-poll-timeout": "2s", "response-header-bytes": "300", "poll-timeout": "2s", "silence": "3s",
}

// commandOf returns a command of a new root that is quiet and does nothing but check its flags.
func commandOf(t *testing.T, name string) (c *cobra.Command, stderr *bytes.Buffer) {
	t.Helper()
	root := newRootCommand()
	c, _, err := root.Find([]string{name})
	if err != nil {
		t.Fatal(err)
	}
	c.Args, c.PreRunE, c.RunE = nil, nil, func(*cobra.Command, []string) error { return nil }
	stderr = new(bytes.Buffer)
	root.SetErr(stderr)
	return c, stderr
}

// executed runs a command line.
func executed(t *testing.T, args ...string) (c *cobra.Command, stderr string, err error) {
	t.Helper()
	c, errs := commandOf(t, args[0])
	c.Root().SetArgs(args)
	err = c.Root().ExecuteContext(t.Context())
	return c, errs.String(), err
}

func TestDeprecatedFlagSetsTheRenamedFlag(t *testing.T) {
	for command, renames := range deprecated {
		for _, r := range renames {
			t.Run(command+" --"+r.old, func(t *testing.T) {
				value := values[r.name]
				today, stderr, err := executed(t, command, "--"+r.name+"="+value)
				if err != nil || stderr != "" {
					t.Fatalf("--%s=%s: %v, stderr %q", r.name, value, err, stderr)
				}
				before, stderr, err := executed(t, command, "--"+r.old+"="+value)
				if want := "pushbench: warning: deprecated: --" + r.old + " is now --" + r.name + "\n"; err != nil || stderr != want {
					t.Errorf("got %v, stderr %q; want stderr %q", err, stderr, want)
				}
				if got, want := before.Flags().Lookup(r.name), today.Flags().Lookup(r.name); got.Value.String() != want.Value.String() || !got.Changed {
					t.Errorf("--%s is %s, given: %v; want %s", r.name, got.Value, got.Changed, want.Value)
				}
				_, _, err = executed(t, command, "--"+r.old+"="+value, "--"+r.name+"="+value)
				if want := "--" + r.old + " is the deprecated name of --" + r.name; app.CodeOf(err) != app.Usage || !strings.HasPrefix(err.Error(), want) {
					t.Errorf("given by both names: got %v, want exit code %d and %q", err, app.Usage, want)
				}
			})
		}
	}
}

func TestSeveralDeprecatedFlagsWarnInOneLine(t *testing.T) {
	_, stderr, err := executed(t, "run", "chat", "--blocks", "3", "--stack", "nethttp", "--stack", "fasthttp", "--let-sleep")
	const want = "pushbench: warning: deprecated: --blocks is now --repetitions, --stack is now --library, --let-sleep is now --allow-idle\n"
	if err != nil || stderr != want {
		t.Errorf("got %v, stderr %q; want %q", err, stderr, want)
	}
}

func TestSecondProcessOfACommandLineDoesNotWarn(t *testing.T) {
	if _, stderr, err := executed(t, "serve", "sse", "--flush", "1ms", "--control"); err != nil || stderr != "" {
		t.Errorf("under control: got %v, stderr %q; want none", err, stderr)
	}
	t.Setenv("PUSHBENCH_USER_NAMESPACE", "1")
	if _, stderr, err := executed(t, "run", "chat", "--blocks", "3"); err != nil || stderr != "" {
		t.Errorf("in a user namespace: got %v, stderr %q; want none", err, stderr)
	}
}

func TestHelpNamesDeprecatedFlagsInItsLastParagraph(t *testing.T) {
	for _, c := range newRootCommand().Commands() {
		var out, errs bytes.Buffer
		if code := run(t.Context(), []string{"help", c.Name()}, strings.NewReader(""), &out, &errs); code != int(app.OK) {
			t.Fatalf("help %s: exit code %d: %s", c.Name(), code, &errs)
		}
		text := strings.TrimSpace(out.String())
		last := strings.Join(strings.Fields(text[strings.LastIndex(text, "\n\n")+1:]), " ")
		if named := strings.HasPrefix(last, "Deprecated names, still accepted: "); named != (deprecated[c.Name()] != nil) {
			t.Errorf("%s: the last paragraph of help is %q", c.Name(), last)
		}
		for _, r := range deprecated[c.Name()] {
			if !strings.Contains(last, "--"+r.old+" (--"+r.name+")") || strings.Count(strings.Join(strings.Fields(text), " "), "--"+r.old+" ") != 1 {
				t.Errorf("%s: help must name --%s only in its last paragraph: %s", c.Name(), r.old, &out)
			}
		}
	}
}

func TestShortFormOfRepetitions(t *testing.T) {
	for _, command := range []string{"run", "crossover"} {
		c, stderr, err := executed(t, command, "chat", "-n", "3")
		if n, bad := c.Flags().GetInt("repetitions"); err != nil || bad != nil || n != 3 || stderr != "" {
			t.Errorf("%s: got %d, %v, %v, stderr %q; want 3", command, n, err, bad, stderr)
		}
	}
}

func TestBaselineGetsTheOldNamesOfServeFlags(t *testing.T) {
	argv := []string{"pushbench", "serve", "sse", "--control", "--library", "nethttp", "--batching-delay=5ms", "--response-header-bytes", "300", "--inject", "drop=2"}
	got := oldServeFlags(argv)
	want := []string{"pushbench", "serve", "sse", "--control", "--stack", "nethttp", "--flush=5ms", "--answer-head", "300", "--lie", "drop=2"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if argv[4] != "--library" {
		t.Error("the argument was changed")
	}
}

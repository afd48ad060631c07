//go:build linux

package main

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// awake prevents nothing and fails nothing.
func awake(context.Context) (func() error, error) { return func() error { return nil }, nil }

// newCampaign measures rows in one pair and writes to a folder of its own.
func newCampaign(t *testing.T, rows ...row) (c *campaign, stdout *bytes.Buffer) {
	t.Helper()
	stdout = &bytes.Buffer{}
	return &campaign{
		about: sample, rows: rows, pairs: 1, out: t.TempDir(),
		keepAwake: awake, stdout: stdout, stderr: &bytes.Buffer{},
	}, stdout
}

// named is a row of one side.
func named(name string, once figureFunc) row {
	return row{name: name, load: "none", unit: "µs", sides: []side{{name: ownSide, bar: 2, once: once}}}
}

// written is the table in a folder, which must hold nothing else but the measurements.
func written(t *testing.T, folder string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(folder, "perf.md"))
	if err != nil {
		t.Fatal(err)
	}
	if left, err := os.ReadDir(folder); err != nil || len(left) != 2 || left[1].Name() != "perf.txt" {
		t.Errorf("got %v (%v), want only perf.md and perf.txt", left, err)
	}
	return string(text)
}

func TestFailedRowDoesNotEndTheCampaign(t *testing.T) {
	c, stdout := newCampaign(t,
		named("first", gives(1.0)),
		named("second", gives(unreached(63_538, 112_252, "/s"))),
		named("third", gives(3.0)))
	if code := c.run(t.Context()); code != exitFailed {
		t.Errorf("got exit code %d, want %d: a row has no figure of pushbench", code, exitFailed)
	}
	got := written(t, c.out)
	for _, want := range []string{
		"| pushbench | 1 |  | ≤ 2 | **met** |\n",
		"| pushbench | not measured: reached 63,538 of 112,252/s |  | ≤ 2 | not measured |\n",
		"| pushbench | 3 |  | ≤ 2 | **missed** |\n",
		"\nbars: 1 met, 1 missed, 1 not measured\n",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("the file lacks %q:\n%s", want, got)
		}
	}
	if stdout.String() != got {
		t.Errorf("stdout differs from the file:\n%s", stdout)
	}
}

func TestExitCodes(t *testing.T) {
	failed := errors.New("does not start")
	beside := func(peer side) row {
		return row{name: "row", sides: []side{{name: ownSide, once: gives(1.0)}, peer}}
	}
	for name, c := range map[string]struct {
		row  row
		want int
	}{
		"met":                     {named("row", gives(1.0)), exitOK},
		"missed":                  {named("row", gives(3.0)), exitOK},
		"peer not installed":      {beside(side{name: "peer", missing: "not installed"}), exitOK},
		"peer failed":             {beside(side{name: "peer", once: gives(failed)}), exitOK},
		"pushbench failed":        {named("row", gives(failed)), exitFailed},
		"pushbench cannot be run": {row{name: "row", sides: []side{{name: ownSide, missing: "wrk, which sets the rate, is not installed"}}}, exitFailed},
	} {
		campaign, _ := newCampaign(t, c.row)
		if code := campaign.run(t.Context()); code != c.want {
			t.Errorf("%s: got exit code %d, want %d", name, code, c.want)
		}
	}
}

// Each row finds the ones before it in the file, so that a kill loses one row at most.
func TestFileIsWrittenAfterEachRow(t *testing.T) {
	var c *campaign
	var before string
	c, _ = newCampaign(t, named("first", gives(1.0)), named("second", func(context.Context) (float64, error) {
		before = written(t, c.out)
		return 1, nil
	}))
	if code := c.run(t.Context()); code != exitOK {
		t.Errorf("got exit code %d, want 0", code)
	}
	if !strings.Contains(before, "bars: 1 met, 0 missed, 1 not measured") || !strings.Contains(before, "not measured: not started") {
		t.Errorf("before the second row the file held\n%s\nwant the first row, and the second as not started", before)
	}
	if after := written(t, c.out); !strings.Contains(after, "bars: 2 met, 0 missed, 0 not measured") {
		t.Errorf("the file holds\n%s\nwant both rows", after)
	}
}

func TestInterruptedCampaignWritesWhatItHas(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	c, stdout := newCampaign(t,
		named("first", gives(1.0)),
		named("second", func(ctx context.Context) (float64, error) { cancel(); return 0, context.Cause(ctx) }),
		named("third", nil)) // is never called
	if code := c.run(ctx); code != exitInterrupted {
		t.Errorf("got exit code %d, want %d", code, exitInterrupted)
	}
	got := written(t, c.out)
	if !strings.Contains(got, "bars: 1 met, 0 missed, 2 not measured") || strings.Count(got, "not measured: interrupted") != 4 {
		t.Errorf("the file holds\n%s\nwant the first row, and two as interrupted", got)
	}
	if stdout.String() != got {
		t.Errorf("stdout differs from the file:\n%s", stdout)
	}
}

// A signal that comes when the last figure is there interrupts nothing.
func TestLateInterruptionIsNone(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	c, _ := newCampaign(t, named("only", func(context.Context) (float64, error) { cancel(); return 1, nil }))
	if code := c.run(ctx); code != exitOK {
		t.Errorf("got exit code %d, want 0", code)
	}
}

// What was measured is on stdout where it cannot be written.
func TestUnwritableFileIsReported(t *testing.T) {
	c, stdout := newCampaign(t, named("only", gives(1.0)))
	if err := os.MkdirAll(filepath.Join(c.out, "perf.md", "in the way"), 0o755); err != nil {
		t.Fatal(err)
	}
	if code := c.run(t.Context()); code != exitFailed {
		t.Errorf("got exit code %d, want %d", code, exitFailed)
	}
	if !strings.Contains(stdout.String(), "bars: 1 met") {
		t.Errorf("got %q on stdout, want the table", stdout)
	}
	if got := c.stderr.(*bytes.Buffer).String(); !strings.Contains(got, "perf: write results to "+filepath.Join(c.out, "perf.md")) {
		t.Errorf("got %q on stderr, want that the file cannot be written", got)
	}
}

// Figures that were measured while cores slept decide nothing, and are shown.
func TestRowNeedsCoresKeptAwake(t *testing.T) {
	for name, c := range map[string]struct {
		keepAwake func(context.Context) (func() error, error)
		says      string
	}{
		"not started": {func(context.Context) (func() error, error) { return nil, errors.New("start pushbench: no such file") }, "idle states cannot be prevented: start pushbench: no such file"},
		"ended early": {func(context.Context) (func() error, error) {
			return func() error { return errors.New("pushbench ended: exit status 1") }, nil
		}, "idle states were not prevented: pushbench ended: exit status 1"},
	} {
		campaign, _ := newCampaign(t, named("only", gives(1.0)))
		campaign.keepAwake = c.keepAwake
		if code := campaign.run(t.Context()); code != exitFailed {
			t.Errorf("%s: got exit code %d, want %d", name, code, exitFailed)
		}
		if got := written(t, campaign.out); !strings.Contains(got, c.says) {
			t.Errorf("%s: the file holds\n%s\nwant %q", name, got, c.says)
		}
	}
}

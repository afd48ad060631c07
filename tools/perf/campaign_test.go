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

// noPrevention does nothing and never fails.
func noPrevention(context.Context) (func() error, error) { return func() error { return nil }, nil }

// newCampaign returns a campaign that measures rows in one pair and writes to a temporary folder.
func newCampaign(t *testing.T, rows ...row) (c *campaign, stdout *bytes.Buffer) {
	t.Helper()
	stdout = &bytes.Buffer{}
	return &campaign{
		about: sample, rows: rows, pairs: 1, out: t.TempDir(),
		preventIdle: noPrevention, stdout: stdout, stderr: &bytes.Buffer{},
	}, stdout
}

// named returns a row with one side.
func named(name string, once measureFunc) row {
	return row{name: name, load: "none", unit: "µs", sides: []side{{name: ownSide, bar: 2, once: once}}}
}

// written returns the table in a folder, which must contain only table and measurements.
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
		named("first", returns(1.0)),
		named("second", returns(notReached(63_538, 112_252, "/s"))),
		named("third", returns(3.0)))
	if code := c.run(t.Context()); code != exitFailed {
		t.Errorf("got exit code %d, want %d: a row has no value of pushbench", code, exitFailed)
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

func TestExitCodeFollowsTheFindings(t *testing.T) {
	failed := errors.New("does not start")
	withPeer := func(peer side) row {
		return row{name: "row", sides: []side{{name: ownSide, once: returns(1.0)}, peer}}
	}
	for name, c := range map[string]struct {
		row  row
		want int
	}{
		"met":                     {named("row", returns(1.0)), exitOK},
		"missed":                  {named("row", returns(3.0)), exitOK},
		"peer not installed":      {withPeer(side{name: "peer", missing: "not installed"}), exitOK},
		"peer failed":             {withPeer(side{name: "peer", once: returns(failed)}), exitOK},
		"pushbench failed":        {named("row", returns(failed)), exitFailed},
		"pushbench cannot be run": {row{name: "row", sides: []side{{name: ownSide, missing: "wrk, which sets the rate, is not installed"}}}, exitFailed},
	} {
		campaign, _ := newCampaign(t, c.row)
		if code := campaign.run(t.Context()); code != c.want {
			t.Errorf("%s: got exit code %d, want %d", name, code, c.want)
		}
	}
}

// The file contains all earlier rows when a row begins, so that a kill loses at most one row.
func TestFileIsWrittenAfterEachRow(t *testing.T) {
	var c *campaign
	var before string
	c, _ = newCampaign(t, named("first", returns(1.0)), named("second", func(context.Context) (float64, error) {
		before = written(t, c.out)
		return 1, nil
	}))
	if code := c.run(t.Context()); code != exitOK {
		t.Errorf("got exit code %d, want 0", code)
	}
	if !strings.Contains(before, "bars: 1 met, 0 missed, 1 not measured") || !strings.Contains(before, "not measured: not started") {
		t.Errorf("before the second row the file contained\n%s\nwant the first row, and the second as not started", before)
	}
	if after := written(t, c.out); !strings.Contains(after, "bars: 2 met, 0 missed, 0 not measured") {
		t.Errorf("the file contains\n%s\nwant both rows", after)
	}
}

func TestInterruptedCampaignWritesItsResults(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	c, stdout := newCampaign(t,
		named("first", returns(1.0)),
		named("second", func(ctx context.Context) (float64, error) { cancel(); return 0, context.Cause(ctx) }),
		named("third", nil)) // never called
	if code := c.run(ctx); code != exitInterrupted {
		t.Errorf("got exit code %d, want %d", code, exitInterrupted)
	}
	got := written(t, c.out)
	if !strings.Contains(got, "bars: 1 met, 0 missed, 2 not measured") || strings.Count(got, "not measured: interrupted") != 4 {
		t.Errorf("the file contains\n%s\nwant the first row, and two as interrupted", got)
	}
	if stdout.String() != got {
		t.Errorf("stdout differs from the file:\n%s", stdout)
	}
}

// A signal after the last measurement has no effect.
func TestSignalAfterTheLastMeasurementHasNoEffect(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	c, _ := newCampaign(t, named("only", func(context.Context) (float64, error) { cancel(); return 1, nil }))
	if code := c.run(ctx); code != exitOK {
		t.Errorf("got exit code %d, want 0", code)
	}
}

// If the file cannot be written, stdout contains the table.
func TestUnwritableFileIsReported(t *testing.T) {
	c, stdout := newCampaign(t, named("only", returns(1.0)))
	if err := os.MkdirAll(filepath.Join(c.out, "perf.md", "in the way"), 0o755); err != nil {
		t.Fatal(err)
	}
	if code := c.run(t.Context()); code != exitFailed {
		t.Errorf("got exit code %d, want %d", code, exitFailed)
	}
	if !strings.Contains(stdout.String(), "bars: 1 met") {
		t.Errorf("got %q on stdout, want the table", stdout)
	}
	if got := c.stderr.(*bytes.Buffer).String(); !strings.Contains(got, "perf: "+filepath.Join(c.out, "perf.md")+" is a folder; allowed: a file in an existing folder") {
		t.Errorf("got %q on stderr, want that the file cannot be written", got)
	}
}

// Values that were measured without preventing idle states decide no bar, but are shown.
func TestRowRequiresPreventedIdleStates(t *testing.T) {
	for name, c := range map[string]struct {
		preventIdle func(context.Context) (func() error, error)
		pattern     string
	}{
		"not started": {func(context.Context) (func() error, error) { return nil, errors.New("start pushbench: no such file") }, "idle states cannot be prevented: start pushbench: no such file"},
		"ended early": {func(context.Context) (func() error, error) {
			return func() error { return errors.New("pushbench ended: exit status 1") }, nil
		}, "idle states were not prevented: pushbench ended: exit status 1"},
	} {
		campaign, _ := newCampaign(t, named("only", returns(1.0)))
		campaign.preventIdle = c.preventIdle
		if code := campaign.run(t.Context()); code != exitFailed {
			t.Errorf("%s: got exit code %d, want %d", name, code, exitFailed)
		}
		if got := written(t, campaign.out); !strings.Contains(got, c.pattern) {
			t.Errorf("%s: the file contains\n%s\nwant %q", name, got, c.pattern)
		}
	}
}

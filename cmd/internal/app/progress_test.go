package app

import (
	"os"
	"strings"
	"testing"

	"pushbench/bench"
	"pushbench/results"
)

// The trials of head and baseline have the same numbers and configurations: each has a line.
func TestProgressNamesTheSide(t *testing.T) {
	var out strings.Builder
	p := newProgress(&out)
	for _, side := range []results.Side{results.HeadSide, results.HeadSide, results.BaselineSide, ""} {
		p.show(bench.Progress{Side: side, Configuration: "websocket", Trial: 1, Trials: 2, Repetition: 1, Repetitions: 2})
	}
	want := "[1/2] repetition 1 of 2, head websocket; about 0:00 left\n" +
		"[1/2] repetition 1 of 2, baseline websocket; about 0:00 left\n" +
		"[1/2] repetition 1 of 2, websocket; about 0:00 left\n"
	if out.String() != want {
		t.Errorf("got %q, want %q", out.String(), want)
	}
}

// A plan has a line per sentence, and without a plan there is none.
func TestNoticeKeepsItsLines(t *testing.T) {
	for text, want := range map[string]string{"": "", "one.\ntwo\x1b.": "one.\ntwo.\n"} {
		var out strings.Builder
		newProgress(&out).notice(text)
		if out.String() != want {
			t.Errorf("%q: got %q, want %q", text, out.String(), want)
		}
	}
}

func TestErrorsAreWrappedOnATerminal(t *testing.T) {
	text := "pushbench: the first of two lines\npushbench: other"
	for columns, want := range map[int]string{0: text, 20: "pushbench: the first\nof two lines\npushbench: other", 80: text} {
		if got := Fitted(text, columns); got != want {
			t.Errorf("%d columns: %q, want %q", columns, got, want)
		}
	}
}

func TestDumbTerminalIsNotRewritten(t *testing.T) {
	terminal, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer terminal.Close()
	for term, want := range map[string]bool{"xterm": true, "dumb": false} {
		t.Setenv("TERM", term)
		if got := IsTerminal(&Clean{To: terminal}); got != want {
			t.Errorf("TERM=%s: %t, want %t", term, got, want)
		}
	}
	if IsTerminal(&strings.Builder{}) {
		t.Error("a text is taken for a terminal")
	}
}

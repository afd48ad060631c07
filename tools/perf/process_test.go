//go:build linux

package main

import (
	"context"
	"io"
	"strings"
	"testing"
)

func TestUnresponsiveChildEndsWithTheContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	p, err := start(ctx, anyCore, "cat")
	if err != nil {
		t.Fatal(err)
	}
	cancel()
	if line, err := p.line(); err == nil {
		t.Errorf("got %q, want an error", line)
	}
	if !p.hasExited() {
		t.Error("the child still runs")
	}
}

// A grandchild keeps the output open: its end shows that all processes have exited.
func TestGrandchildrenEndWithTheChild(t *testing.T) {
	for name, text := range map[string]string{
		"killed":  "sleep 1000 & echo started; wait",
		"crashed": "sleep 1000 & echo started; exit 1",
	} {
		ctx, cancel := context.WithCancel(t.Context())
		p, err := start(ctx, anyCore, "sh", "-c", text)
		if err != nil {
			t.Fatal(err)
		}
		if line, err := p.line(); err != nil || line != "started\n" {
			t.Fatalf("%s: got %q (%v), want started", name, line, err)
		}
		if name == "killed" {
			cancel()
		}
		if _, err := io.Copy(io.Discard, p.out); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		p.end()
		cancel()
	}
}

func TestExitReasonContainsTheLastLine(t *testing.T) {
	p, err := start(t.Context(), anyCore, "sh", "-c", "echo warning >&2; echo bad option >&2; exit 3")
	if err != nil {
		t.Fatal(err)
	}
	_, err = p.line()
	if want := "sh ended: exit status 3: bad option"; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

func TestOutputErrorContainsTheLastLine(t *testing.T) {
	text, err := output(t.Context(), "sh", "-c", "echo first; echo last; exit 3")
	if want := "sh ended: exit status 3: last"; err == nil || err.Error() != want || text != "first\nlast" {
		t.Errorf("got %q and %v, want both lines and %s", text, err, want)
	}
	if _, err := output(t.Context(), "no/such/program"); err == nil || !strings.HasPrefix(err.Error(), "start program: ") {
		t.Errorf("got %v, want a start error", err)
	}
}

func TestServerMustReportItsAddress(t *testing.T) {
	for printed, pattern := range map[string]string{
		"hello":           `sh printed "hello\n", want its listening address`,
		"{}":              `sh printed "{}\n", want its listening address`,
		"":                `sh printed "\n", want its listening address`,
		"'; exit 2; echo": "sh ended: exit status 2",
	} {
		_, err := listening(t.Context(), "sh", "-c", "printf '%s' '"+printed+"' && echo")
		if err == nil || !strings.Contains(err.Error(), pattern) {
			t.Errorf("%q: got %v, want %s", printed, err, pattern)
		}
	}
}

package main

import (
	"errors"
	"testing"
)

// Each joined error has a line with the prefix.
func TestEachErrorHasALine(t *testing.T) {
	if got, want := inLines(errors.Join(errors.New("one"), errors.New("other"))), "pushbench: one\npushbench: other"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got, want := inLines(errors.New("a certificate for \x1b[31m\u202e\x07x")), "pushbench: a certificate for [31mx"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

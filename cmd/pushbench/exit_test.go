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
}

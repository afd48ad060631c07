package main

import (
	"errors"
	"testing"
)

// On a terminal and in a log each error is a line of ours.
func TestEachErrorIsALine(t *testing.T) {
	if got, want := inLines(errors.Join(errors.New("one"), errors.New("other"))), "pushbench: one\npushbench: other"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

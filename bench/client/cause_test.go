package client

import (
	"errors"
	"io"
	"strings"
	"testing"
)

func TestCausesAreShort(t *testing.T) {
	for text, want := range map[string]string{
		"":                             "",
		"x":                            "x",
		strings.Repeat("é", 200):       strings.Repeat("é", 150) + "…",
		"x" + strings.Repeat("é", 200): "x" + strings.Repeat("é", 149) + "…",
	} {
		if got := Cause(errors.New(text)); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	if got := Cause(io.EOF); got != causeEnd {
		t.Errorf("got %q, want %q", got, causeEnd)
	}
}

package results

import (
	"errors"
	"strings"
	"testing"
	"unicode/utf8"
)

// An error may quote any text of a file.
func TestCorruptErrorIsOneShortLine(t *testing.T) {
	long := errors.New("unknown status \"" + strings.Repeat("\u20ac\n", 5000))
	if text := corrupt("manifest.json", 0, "is invalid", long).Error(); strings.Contains(text, "\n") || len(text) > 500 || !utf8.ValidString(text) {
		t.Errorf("got %d bytes: %q", len(text), text)
	}
}

package results_test

import (
	"testing"

	"pushbench/results"
)

func TestCapital(t *testing.T) {
	for text, want := range map[string]string{"": "", "a": "A", "no idle states": "No idle states", "Loopback": "Loopback", "émission": "Émission", "5 ms": "5 ms"} {
		if got := results.Capital(text); got != want {
			t.Errorf("Capital(%q) = %q, want %q", text, got, want)
		}
	}
}

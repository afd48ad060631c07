package main

import (
	"bytes"
	"strings"
	"testing"

	"pushbench/bench/host"
)

func TestDoctorEndsWithItsResult(t *testing.T) {
	hidden := host.Diagnosis{Check: "swap", State: host.Hidden}
	warning := host.Diagnosis{Check: "timer", State: host.Warn, Found: "1 ms late", Advice: "Stop other programs."}
	failed := host.Diagnosis{Check: "throttling", State: host.Fail}
	for want, found := range map[string][]host.Diagnosis{
		"suitable.":                  {hidden},
		"suitable, with 1 warning.":  {hidden, warning},
		"suitable, with 2 warnings.": {warning, hidden, warning},
		"not suitable.":              {hidden, warning, failed},
	} {
		var out bytes.Buffer
		if err := printDiagnoses(&out, 0, found, host.Usable(found) == nil, false); err != nil {
			t.Fatal(err)
		}
		if text := out.String(); !strings.HasSuffix(text, "\nResult: "+want+"\n") || strings.Contains(text, "swap") != strings.Contains(text, "unknown") {
			t.Errorf("want result %q:\n%s", want, text)
		}
	}
}

func TestDoctorFitsTheTerminal(t *testing.T) {
	found := []host.Diagnosis{{Check: "stalls of idle cores", State: host.Warn, Found: strings.Repeat("core 0: no stall; ", 20)}}
	var out bytes.Buffer
	if err := printDiagnoses(&out, 80, found, true, false); err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(out.String()) {
		if len(line) > 80+len("\n") {
			t.Errorf("%d columns: %s", len(line)-1, line)
		}
	}
	if words := strings.Count(out.String(), "stall;"); words != 20 {
		t.Errorf("%d of 20 words are whole:\n%s", words, out.String())
	}
}

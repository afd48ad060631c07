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
		if err := printDiagnoses(&out, found, host.Usable(found) == nil, false); err != nil {
			t.Fatal(err)
		}
		if text := out.String(); !strings.HasSuffix(text, "\nResult: "+want+"\n") || strings.Contains(text, "swap") != strings.Contains(text, "unknown") {
			t.Errorf("want result %q:\n%s", want, text)
		}
	}
}

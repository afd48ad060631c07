package validity

import (
	"fmt"
	"testing"
	"time"
)

func TestSoundTrialPassesEveryGate(t *testing.T) {
	for _, g := range Check(ValidEvidence()) {
		if !g.Passed {
			t.Errorf("%s refuses a sound trial: %s", g.Name, g.Detail)
		}
		if g.Detail == "" {
			t.Errorf("%s does not say what it measured", g.Name)
		}
	}
}

func TestEveryGateCanFailAndOnlyForItsReason(t *testing.T) {
	_, controls := Controls()
	if missed := unnoticed(controls); len(missed) > 0 {
		t.Error(missed)
	}
}

// unnoticed says what is wrong with the gates, by their controls.
func unnoticed(controls []Control) (wrong []string) {
	for _, c := range controls {
		if !c.Refused {
			wrong = append(wrong, fmt.Sprintf("%s passes what it must refuse: %s", c.Check, c.Detail))
		}
		if c.Others != "" {
			wrong = append(wrong, fmt.Sprintf("what only %s must refuse is refused by %s", c.Check, c.Others))
		}
	}
	return wrong
}

// A gate that is switched off is noticed, whichever it is.
func TestEveryGateIsMissed(t *testing.T) {
	for i, g := range checks {
		checks[i].judge = func(Evidence) (bool, string) { return true, "switched off" }
		missed := unnoticed(controlsOf(g.name))
		checks[i] = g
		if len(missed) == 0 {
			t.Errorf("nothing notices that %q is switched off", g.name)
		}
	}
}

// Of a dial that was given up nobody knows whether the server accepted it.
func TestAbandonedDialsMayBeAccepted(t *testing.T) {
	for accepted := range int64(3) {
		e := ValidEvidence()
		e.Abandoned, e.Accepted = 2, e.Accepted+accepted
		if passed, detail := noHiddenDials(e); !passed {
			t.Errorf("%d of 2 accepted refused: %s", accepted, detail)
		}
	}
}

// Latenesses are allowed to grow with what is measured, up to a twentieth.
func TestLatenessIsJudgedAgainstTheLatency(t *testing.T) {
	e := ValidEvidence()
	corruptions[GeneratorOnTime][0](&e)
	for range 10 {
		e.Trial.Latency.Histogram.Record(time.Second)
	}
	if passed, detail := onTime(e); !passed {
		t.Errorf("2 ms late beside a median of 1 s refused: %s", detail)
	}
}

func TestUnwatchedCoresPass(t *testing.T) {
	e := ValidEvidence()
	e.Stalls = nil
	if passed, detail := keptRunning(e); !passed {
		t.Errorf("refused: %s", detail)
	}
}

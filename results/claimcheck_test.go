package results

import "testing"

// What nobody can judge is corrupt: Open refuses it.
func TestClaimsThatNobodyCanJudge(t *testing.T) {
	for name, claim := range map[string]Claim{
		"no figure":       {Op: "<"},
		"unknown figure":  {Figure: "latency", Op: "<"},
		"unknown op":      {Figure: "lost", Op: "~"},
		"no other figure": {Figure: "p50", Op: "<", OtherCase: "sse"},
	} {
		if err := (Manifest{Status: Complete, Claims: []Claim{claim}}).check(); err == nil {
			t.Errorf("%s: accepted", name)
		}
		if err := (Manifest{Status: Complete, Needs: []Claim{claim}}).check(); err == nil {
			t.Errorf("%s: accepted as a need", name)
		}
	}
	sound := Claim{Figure: "p(95)", Op: "<", OtherCase: "sse", OtherFigure: "p50"}
	if err := (Manifest{Status: Complete, Claims: []Claim{sound}}).check(); err != nil {
		t.Errorf("a sound claim: %v", err)
	}
}

package report

import (
	"pushbench/results"
	"pushbench/results/compare"
	"pushbench/results/summary"
)

// A Report is a run, summed up and judged once for everything that is written of it,
// so that no two outputs can say different things.
type Report struct {
	Run       *results.Run
	Summary   summary.Summary
	Judgement compare.Judgement
	Alike     []compare.Difference // each case against itself
	Needs     []compare.Finding    // of each case
	Claims    []compare.Finding    // of each case; none where the rig failed
}

// New sums a run up and judges it.
func New(run *results.Run) *Report {
	s := summary.Of(run)
	r := &Report{Run: run, Summary: s, Judgement: compare.Judge(run, s), Alike: compare.Alike(run, s), Needs: compare.Claims(run.Manifest.Needs, s)}
	if run.Manifest.Status != results.Invalid {
		r.Claims = compare.Claims(run.Manifest.Claims, s)
	}
	return r
}

// Worth is what a run's figures are, in a word: VERDICT, ESTIMATE, or its status where
// that is less.
func (r *Report) Worth() string {
	switch {
	case r.Run.Manifest.Status != results.Complete:
		return string(r.Run.Manifest.Status)
	case r.Judgement.Withheld != "":
		return estimateLabel
	default:
		return verdictLabel
	}
}

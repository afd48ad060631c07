package report

import (
	"fmt"
	"strings"
	"time"

	"github.com/jstemmer/go-junit-report/v2/junit"

	"pushbench/results"
	"pushbench/results/compare"
	"pushbench/results/metric"
)

// JUnit is a run for a CI system's list of tests: whether the run is sound, each gate of
// each case, and each claim. What is broken is a failure; what is undecided is an error, for
// nothing was tested.
func (r *Report) JUnit() junit.Testsuites {
	m := r.Run.Manifest
	name := "pushbench " + results.Plain(m.Workload.Scenario)
	all := junit.Testsuites{Name: name}
	rig := suite(name+": rig", m)
	status := testcase(rig.Name, "the run is COMPLETE", m.Ended.Sub(m.Started))
	if m.Status != results.Complete {
		status.Failure = &junit.Result{Message: fmt.Sprintf("%s: %s", m.Status, results.Plain(m.Reason)), Type: string(m.Status)}
	}
	rig.AddTestcase(status)
	for _, gate := range gateNames(r.Run.Trials) {
		rig.AddTestcase(r.gateCase(rig.Name, gate))
	}
	all.AddSuite(rig)
	if len(r.Claims) > 0 {
		claims := suite(name+": claims", m)
		for _, f := range r.Claims {
			claims.AddTestcase(claimCase(claims.Name, f))
		}
		all.AddSuite(claims)
	}
	return all
}

func suite(name string, m results.Manifest) junit.Testsuite {
	s := junit.Testsuite{Name: name, Time: seconds(m.Ended.Sub(m.Started))}
	s.SetTimestamp(m.Started)
	return s
}

func testcase(suite, name string, took time.Duration) junit.Testcase {
	return junit.Testcase{Classname: suite, Name: name, Time: seconds(took)}
}

func seconds(d time.Duration) string { return fmt.Sprintf("%.3f", max(0, d).Seconds()) }

// gateCase passes where the gate did in every trial that was not measured again.
func (r *Report) gateCase(suite, gate string) junit.Testcase {
	tc := testcase(suite, "gate: "+results.Plain(gate), 0)
	var failed, again []string
	for _, t := range r.Run.Trials {
		for _, g := range t.FailedGates() {
			if g.Name != gate {
				continue
			}
			line := results.Plain(t.Name() + ": " + g.Detail)
			if r.measuredAgain(t) {
				again = append(again, line)
			} else {
				failed = append(failed, line)
			}
		}
	}
	if len(failed) > 0 {
		tc.Failure = &junit.Result{Message: failed[0], Type: "gate", Data: strings.Join(failed, "\n")}
	}
	if len(again) > 0 {
		tc.SystemOut = &junit.Output{Data: "measured again: " + strings.Join(again, "\nmeasured again: ")}
	}
	return tc
}

func (r *Report) measuredAgain(t results.Trial) bool {
	for _, e := range r.Summary.Excluded {
		if e.Trial == t.Name() {
			return e.Repeated
		}
	}
	return false
}

func claimCase(suite string, f compare.Finding) junit.Testcase {
	tc := testcase(suite, claimed(f), 0)
	switch f.Outcome {
	case compare.Broken:
		tc.Failure = &junit.Result{Message: "broken: " + found(f), Type: "claim"}
	case compare.Undecided:
		tc.Error = &junit.Result{Message: "undecided: " + found(f), Type: "claim"}
	default:
		tc.SystemOut = &junit.Output{Data: found(f)}
	}
	return tc
}

// JUnit is a comparison for a CI system's list of tests: a case for each declared metric of
// each case. What is worse is a failure, what nothing can be said of an error.
func (c *Comparison) JUnit() junit.Testsuites {
	m := c.Runs[1].Manifest
	name := "pushbench " + results.Plain(m.Workload.Scenario) + ": B against A"
	all := junit.Testsuites{Name: name}
	s := suite(name, m)
	worse, open := c.Judgement.Regressions(), c.Judgement.Open()
	for _, d := range c.Judgement.Family {
		tc := testcase(name, fmt.Sprintf("%s, %s", results.Plain(compare.CaseOf(d)), metric.ByName(d.Metric).Title), 0)
		switch {
		case among(worse, d):
			tc.Failure = &junit.Result{Message: "worse: " + changed(d), Type: "comparison"}
		case among(open, d):
			tc.Error = &junit.Result{Message: openBecause(c.Judgement, d), Type: "comparison"}
		default:
			tc.SystemOut = &junit.Output{Data: string(d.Verdict) + ": " + changed(d)}
		}
		s.AddTestcase(tc)
	}
	all.AddSuite(s)
	return all
}

func openBecause(j compare.Judgement, d compare.Difference) string {
	switch {
	case d.Verdict == compare.Incomparable:
		return string(d.Verdict) + ": " + remarks(d)
	case j.Withheld != "":
		return "no verdict: " + j.Withheld
	default:
		return string(d.Verdict) + ": " + changed(d)
	}
}

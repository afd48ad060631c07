package report

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jstemmer/go-junit-report/v2/junit"

	"pushbench/results"
	"pushbench/results/compare"
	"pushbench/results/metric"
	"pushbench/results/summary"
)

// JUnit is a run for a CI system's list of tests: whether the run is valid, each validity check of
// each configuration, and each assertion. What is broken is a failure; what is undecided is an error,
// for nothing was tested.
func (r *Report) JUnit() junit.Testsuites {
	m := r.Run.Manifest
	all := junit.Testsuites{Name: "pushbench " + results.Plain(m.Workload.Scenario)}
	rig := suite(all.Name+": rig", m)
	status := testcase(rig, "the run is COMPLETE", m.Ended.Sub(m.Started))
	if m.Status != results.Complete {
		status.Failure = &junit.Result{Message: fmt.Sprintf("%s: %s", m.Status, results.Plain(m.Reason)), Type: string(m.Status)}
	}
	rig.AddTestcase(status)
	for _, gate := range gateNames(r.Run.Trials) {
		rig.AddTestcase(r.gateCase(rig, gate))
	}
	all.AddSuite(rig)
	if len(r.Assertions) == 0 {
		return all
	}
	claims := suite(all.Name+": claims", m)
	for _, f := range r.Assertions {
		tc, said := testcase(claims, claimed(f), 0), found(f)
		switch f.Outcome {
		case compare.Failed:
			tc.Failure = &junit.Result{Message: "broken: " + said, Type: "claim"}
		case compare.Undecided:
			tc.Error = &junit.Result{Message: "undecided: " + said, Type: "claim"}
		default:
			tc.SystemOut = &junit.Output{Data: said}
		}
		claims.AddTestcase(tc)
	}
	all.AddSuite(claims)
	return all
}

func suite(name string, m results.Manifest) junit.Testsuite {
	s := junit.Testsuite{Name: name, Time: seconds(m.Ended.Sub(m.Started))}
	s.SetTimestamp(m.Started)
	return s
}

func testcase(of junit.Testsuite, name string, took time.Duration) junit.Testcase {
	return junit.Testcase{Classname: of.Name, Name: name, Time: seconds(took)}
}

func seconds(d time.Duration) string { return fmt.Sprintf("%.3f", max(0, d).Seconds()) }

// gateCase passes where the check did in every trial that was not measured again.
func (r *Report) gateCase(of junit.Testsuite, gate string) junit.Testcase {
	tc := testcase(of, "gate: "+results.Plain(gate), 0)
	var failed, again []string
	for _, t := range r.Run.Trials {
		for _, g := range t.FailedChecks() {
			said := results.Plain(t.Name() + ": " + g.Detail)
			i := slices.IndexFunc(r.Summary.Excluded, func(e summary.Excluded) bool { return e.Trial == t.Name() })
			switch {
			case g.Name != gate:
			case i >= 0 && r.Summary.Excluded[i].Repeated:
				again = append(again, "measured again: "+said)
			default:
				failed = append(failed, said)
			}
		}
	}
	if len(failed) > 0 {
		tc.Failure = &junit.Result{Message: failed[0], Type: "gate", Data: strings.Join(failed, "\n")}
	}
	if len(again) > 0 {
		tc.SystemOut = &junit.Output{Data: strings.Join(again, "\n")}
	}
	return tc
}

// JUnit is a comparison for a CI system's list of tests: a case for each declared metric of
// each configuration. What is worse is a failure, an inconclusive comparison an error.
func (c *Comparison) JUnit() junit.Testsuites {
	m := c.Runs[1].Manifest
	s := suite("pushbench "+results.Plain(m.Workload.Scenario)+": B against A", m)
	worse, open := c.Judgement.Regressions(), c.Judgement.Open()
	for _, d := range c.Judgement.Family {
		tc := testcase(s, fmt.Sprintf("%s, %s", results.Plain(compare.ConfigurationOf(d)), metric.ByName(d.Metric).Title), 0)
		said := string(d.Verdict) + ": " + changed(d)
		switch {
		case among(worse, d):
			tc.Failure = &junit.Result{Message: "worse: " + changed(d), Type: "comparison"}
		case among(open, d):
			switch {
			case d.Verdict == compare.Incomparable:
				said = string(d.Verdict) + ": " + remarks(d)
			case c.Judgement.Withheld != "":
				said = "no verdict: " + c.Judgement.Withheld
			}
			tc.Error = &junit.Result{Message: said, Type: "comparison"}
		default:
			tc.SystemOut = &junit.Output{Data: said}
		}
		s.AddTestcase(tc)
	}
	all := junit.Testsuites{Name: s.Name}
	all.AddSuite(s)
	return all
}

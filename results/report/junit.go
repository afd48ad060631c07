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

// JUnit is a run as a test report for CI systems: whether the run is complete, each validity check, and
// each assertion. A failed assertion is a failure; an undecided one is skipped, because it neither passed
// nor failed.
func (r *Report) JUnit() junit.Testsuites {
	m := r.Run.Manifest
	name := "pushbench " + results.Plain(m.Workload.Scenario)
	took := m.Ended.Sub(m.Started)
	setup := suite(name+": test setup", m, took)
	status := testcase(setup, "the run is COMPLETE", took)
	if m.Status != results.Complete {
		status.Failure = &junit.Result{Message: fmt.Sprintf("%s: %s", m.Status, results.Plain(m.Reason)), Type: string(m.Status)}
	}
	add(&setup, status, "")
	r.addChecks(&setup)
	if len(r.Assertions) == 0 {
		return suites(setup)
	}
	assertions := suite(name+": assertions", m, 0)
	for _, a := range r.Assertions {
		tc, evidence, note := testcase(assertions, assertionText(a), 0), evidenceOf(a), ""
		switch a.Outcome {
		case compare.Failed:
			tc.Failure = &junit.Result{Message: "failed: " + evidence, Type: "assertion"}
		case compare.Undecided:
			tc.Skipped = &junit.Result{Message: "undecided: " + evidence}
		default:
			note = evidence
		}
		add(&assertions, tc, note)
	}
	return suites(setup, assertions)
}

// suites is a report that is valid by both common schemas, those of Ant
// (https://github.com/windyroad/JUnit-Schema) and of Jenkins (junit-10.xsd of its xUnit plugin). Ant allows
// no totals here, requires every attribute and child of a suite, and allows output only of a suite.
func suites(all ...junit.Testsuite) junit.Testsuites {
	for i := range all {
		all[i].ID = i
	}
	return junit.Testsuites{Suites: all}
}

// suite is a suite without test cases. A run does not record the name of its host.
func suite(name string, m results.Manifest, took time.Duration) junit.Testsuite {
	s := junit.Testsuite{
		Name: name, Package: "pushbench", Hostname: "localhost", Time: seconds(took), Timestamp: m.Started.UTC().Format("2006-01-02T15:04:05"),
		SystemOut: &junit.Output{}, SystemErr: &junit.Output{},
	}
	s.AddProperty("commit", results.Plain(m.Tool.Commit))
	return s
}

func testcase(of junit.Testsuite, name string, took time.Duration) junit.Testcase {
	return junit.Testcase{Classname: of.Name, Name: name, Time: seconds(took)}
}

// add adds a test case to a suite, and a note about it to the suite's output.
func add(to *junit.Testsuite, tc junit.Testcase, note string) {
	if note != "" {
		to.SystemOut.Data += tc.Name + ": " + results.Plain(note) + "\n"
	}
	to.AddTestcase(tc)
}

func seconds(d time.Duration) string { return fmt.Sprintf("%.3f", max(0, d).Seconds()) }

// addChecks adds the validity checks. Each passes if it passed in every trial that was not repeated.
func (r *Report) addChecks(to *junit.Testsuite) {
	failed, repeated, again := map[string][]string{}, map[string][]string{}, map[string]bool{}
	for _, e := range r.Summary.Excluded {
		again[e.Trial] = e.Repeated
	}
	for _, t := range r.Run.Trials {
		name := t.Name()
		for _, check := range t.FailedChecks() {
			text := results.Plain(name + ": " + check.Detail)
			if again[name] {
				repeated[check.Name] = append(repeated[check.Name], "repeated: "+text)
			} else {
				failed[check.Name] = append(failed[check.Name], text)
			}
		}
	}
	for _, name := range checkNames(r.Run.Trials) {
		tc := testcase(*to, "validity check: "+results.Plain(name), 0)
		if all := failed[name]; len(all) > 0 {
			tc.Failure = &junit.Result{Message: all[0], Type: "validity check", Data: strings.Join(all, "\n")}
		}
		add(to, tc, strings.Join(repeated[name], "; "))
	}
}

// JUnit is a comparison as a test report for CI systems: a test case for each declared metric of each
// configuration. A regression is a failure; an inconclusive comparison is skipped.
func (c *Comparison) JUnit() junit.Testsuites {
	m := c.Runs[1].Manifest
	s := suite("pushbench "+results.Plain(m.Workload.Scenario)+": B against A", m, m.Ended.Sub(m.Started))
	worse, undecided := c.Analysis.Regressions(), c.Analysis.Unresolved()
	for _, d := range c.Analysis.Family {
		tc, note := testcase(s, fmt.Sprintf("%s, %s", results.Plain(compare.ConfigurationOf(d)), metric.ByName(d.Metric).Title), 0), ""
		text := string(d.Verdict) + ": " + c.changed(d)
		switch {
		case among(worse, d):
			tc.Failure = &junit.Result{Message: "worse: " + c.changed(d), Type: "comparison"}
		case among(undecided, d):
			switch {
			case d.Verdict == compare.Incomparable:
				text = string(d.Verdict) + ": " + remarks(d)
			case c.Analysis.Withheld != "":
				text = "no verdict: " + c.Analysis.Withheld
			}
			tc.Skipped = &junit.Result{Message: text}
		default:
			note = text
		}
		add(&s, tc, note)
	}
	return suites(s)
}

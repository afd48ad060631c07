package validity

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

func TestValidEvidencePassesEveryCheck(t *testing.T) {
	for _, c := range Check(ValidEvidence()) {
		if !c.Passed {
			t.Errorf("%q fails on valid evidence: %s", c.Name, c.Detail)
		}
		if c.Detail == "" {
			t.Errorf("%q has no detail", c.Name)
		}
	}
}

func TestCorruptEvidenceFailsOnlyItsCheck(t *testing.T) {
	_, controls := Controls()
	if missed := unnoticed(controls); len(missed) > 0 {
		t.Error(missed)
	}
}

// unnoticed lists the controls whose corrupt evidence passes its check or fails another.
func unnoticed(controls []Control) (wrong []string) {
	for _, c := range controls {
		if !c.Failed {
			wrong = append(wrong, fmt.Sprintf("%q passes evidence that was corrupted for it: %s", c.Check, c.Detail))
		}
		if c.OtherFailures != "" {
			wrong = append(wrong, fmt.Sprintf("evidence corrupted for %q also fails %s", c.Check, c.OtherFailures))
		}
	}
	return wrong
}

// For each check, some control detects that it is disabled.
func TestDisabledCheckIsDetected(t *testing.T) {
	for i, c := range checks {
		checks[i].run = func(Evidence) (bool, string) { return true, "disabled" }
		missed := unnoticed(controlsOf(c.name))
		checks[i] = c
		if len(missed) == 0 {
			t.Errorf("no control detects that %q is disabled", c.name)
		}
	}
}

// Only a refusal fails the check: a status of the client's fault, a close code other than those of a
// server in trouble, or the regular end of a connection.
func TestOnlyRefusedClientsFailTheCheck(t *testing.T) {
	for cause, passes := range map[string]bool{
		"upgrade returned status 429": false, "step 2 returned status 401": false, "WebSocket closed by server with code 4003": false,
		"WebSocket closed by server with code 1008": false, "stream returned status 503": true, "WebSocket closed by server with code 1013": true,
		"connection closed mid-message": false, "connection closed by server": false, "connection closed by server without a close frame": false, "upstream: connection closed by server": true,
		"timeout": true, "connection refused": true, "connection reset": true,
	} {
		e := ValidEvidence()
		e.Trial.Connect.Clients, e.Trial.Connect.Failed, e.Trial.Connect.FailedBy = 1000, 992, map[string]int64{cause: 9}
		if passed, detail := clientsAccepted(e); passed != passes {
			t.Errorf("%s: passed %v: %s", cause, passed, detail)
		}
	}
}

// Connections that the kernel dropped are no defect of a library: the check names where and what to change.
func TestFullListenQueueIsNamed(t *testing.T) {
	e := ValidEvidence()
	e.Accepted, e.Overflows, e.Backlog = e.Accepted-3, 5, "8"
	const want = "; the listen queue was full 5 times (ListenOverflows): raise net.core.somaxconn (now 8), or lower connect_rate"
	if passed, detail := noHiddenConnections(e); passed || !strings.HasSuffix(detail, want) {
		t.Errorf("passed %v, %q; want the suffix %q", passed, detail, want)
	}
	e.Accepted += 3
	if passed, detail := noHiddenConnections(e); !passed || strings.Contains(detail, "queue") {
		t.Errorf("all were accepted: passed %v, %q", passed, detail)
	}
}

// An abandoned dial may or may not have been accepted by the server.
func TestAbandonedDialsMayBeAccepted(t *testing.T) {
	for accepted := range int64(3) {
		e := ValidEvidence()
		e.Abandoned, e.Accepted = 2, e.Accepted+accepted
		if passed, detail := noHiddenConnections(e); !passed {
			t.Errorf("%d of 2 abandoned dials accepted: the check fails: %s", accepted, detail)
		}
	}
}

// The allowed lateness is 5 % of the median latency.
func TestAllowedLatenessGrowsWithTheLatency(t *testing.T) {
	e := ValidEvidence()
	corruptions[GeneratorOnTime][0](&e)
	for range 10 {
		e.Trial.Latency.Histogram.Record(time.Second)
	}
	if passed, detail := generatorOnTime(e); !passed {
		t.Errorf("2 ms late at a median latency of 1 s: the check fails: %s", detail)
	}
}

func TestUnmonitoredCoresPass(t *testing.T) {
	e := ValidEvidence()
	e.Stalls = nil
	if passed, detail := coresRunning(e); !passed {
		t.Errorf("the check fails without a stall monitor: %s", detail)
	}
}

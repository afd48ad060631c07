//go:build linux

package main

import (
	"context"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"pushbench/results"
)

const wrkPrinted = `Running 5s test @ http://127.0.0.1:1/
  1 threads and 64 connections
  560000 requests in 5.00s, 50.21MB read
Requests/sec: 112000.00
`

const benchmarkPrinted = `goos: linux
BenchmarkDeliver-2   	12345678	        92.3 ns/op	       0 B/op	       0 allocs/op
PASS
`

func TestWrkRequestsAreParsed(t *testing.T) {
	for _, c := range []struct {
		printed string
		want    float64
		pattern string
	}{
		{wrkPrinted, 560_000, ""},
		{wrkPrinted + "  Non-2xx or 3xx responses: 12\n", 0, "refused"},
		{"unable to connect to 127.0.0.1\n", 0, `printed no number of requests, but "unable to connect`},
		{"", 0, "no number"},
		{"  0 requests in 5.00s", 0, "above 0"},
		{"  many requests in 5.00s", 0, "above 0"},
	} {
		got, err := wrkRequests(c.printed)
		if got != c.want || (err == nil) != (c.pattern == "") || err != nil && !strings.Contains(err.Error(), c.pattern) {
			t.Errorf("%q: got %g and %v, want %g and %q", c.printed, got, err, c.want, c.pattern)
		}
	}
}

func TestPerOperationRejectsAllocations(t *testing.T) {
	if got, err := perOperation(benchmarkPrinted); got != 92.3 || err != nil {
		t.Errorf("got %g and %v, want 92.3", got, err)
	}
	if _, err := perOperation(strings.Replace(benchmarkPrinted, "0 allocs", "2 allocs", 1)); err == nil || !strings.Contains(err.Error(), "allocates 2 times") {
		t.Errorf("got %v, want an error about allocations", err)
	}
	if _, err := perOperation("PASS\n"); err == nil {
		t.Error("got no error, want one for the missing value")
	}
}

// Our generator must reach the rate of wrk even on a fast machine.
func TestPollIntervalReachesTheRateOfWrk(t *testing.T) {
	for _, rate := range []float64{1_000, 50_000, 112_252} {
		if got := pollConnections / pollEvery(rate).Seconds(); math.Abs(got-rate) > rate/1000 {
			t.Errorf("%g/s: got an interval of %v, which offers %g/s", rate, pollEvery(rate), got)
		}
	}
}

// For any output of a tool, a value is a number above 0.
func FuzzPrinted(f *testing.F) {
	f.Add(wrkPrinted)
	f.Add(benchmarkPrinted)
	f.Add("NaN requests in")
	f.Add("BenchmarkDeliver 1 Inf ns/op 0 B/op 0 allocs/op")
	f.Fuzz(func(t *testing.T, printed string) {
		for _, parse := range []func(string) (float64, error){wrkRequests, perOperation} {
			if x, err := parse(printed); err == nil && !(x > 0 && x <= math.MaxFloat64) {
				t.Errorf("got %g of %q", x, printed)
			}
		}
	})
}

// The error for a run without a result does not name the deleted folder.
func TestGeneratorReportsARunWithoutResult(t *testing.T) {
	for text, pattern := range map[string]string{
		"exit 0": "no run folder",
		"echo 'pushbench: another run' >&2; exit 5": "pushbench ended: exit status 5: pushbench: another run",
		`echo "cannot read $2" >&2; exit 2`:         "cannot read scenario.yaml",
	} {
		command := filepath.Join(t.TempDir(), "pushbench")
		script(t, command, text)
		_, err := lastTrial(t.Context(), command, "")
		if err == nil || !strings.Contains(err.Error(), pattern) || strings.Contains(err.Error(), "%!") || strings.Contains(err.Error(), os.TempDir()+string(filepath.Separator)+"perf") {
			t.Errorf("%s: got %v, want %q", text, err, pattern)
		}
	}
}

// The server of a side is that of a target, and its value comes from the run.
func TestTargetIsMeasuredInARun(t *testing.T) {
	reference, err := filepath.Abs("../../results/reference/chat")
	if err != nil {
		t.Fatal(err)
	}
	command := filepath.Join(t.TempDir(), "pushbench")
	script(t, command, `[ "$5 $6" = "--target nchan" ] && cp -r `+reference+` "$4"`)
	r := againstNchan(row{}, command, "", 0.9, serverCPU)
	if _, err := r.sides[0].once(t.Context()); err == nil {
		t.Error("the first side is not the reference")
	}
	if x, err := r.sides[1].once(t.Context()); err != nil || x < 1 || x > 1000 {
		t.Errorf("got %v µs per delivery, %v", x, err)
	}
	if err := allDelivered(results.Ledger{Expected: 1200, Delivered: 1199}); err == nil || err.Error() != "reached 1,199 of 1,200 deliveries" {
		t.Errorf("got %v", err)
	}
}

// Without wrk the rate is unknown, so that both sides are missing.
func TestPollersWithoutWrk(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	for _, s := range pollers("pushbench") {
		if !strings.Contains(s.missing, "not installed") {
			t.Errorf("%s: got %q, want that wrk is not installed", s.name, s.missing)
		}
	}
}

func TestDescribeFindsVersions(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("PATH", dir)
	t.Chdir(dir)
	script(t, "pushbench", `echo "pushbench 0.1.0 (0123456789ab, changed)"`)
	script(t, "wrk", `echo "wrk debian/4.1.0-4+b1 [epoll] Copyright (C) 2012 Will Glozer"; exit 1`)
	script(t, "bin/k6", `echo "k6 v1.8.1 (go1.26.8, linux/amd64)"`)
	script(t, "nginx", `echo "nginx version: nginx/1.26.3" >&2`)
	a, err := describe(context.Background(), "./pushbench", 5)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, f := range a.properties {
		got[f.name] = f.value
	}
	for name, want := range map[string]string{
		"pushbench": "0.1.0 (0123456789ab, changed)", "wrk": "debian/4.1.0-4+b1", "k6": "v1.8.1", "nginx": "1.26.3", "pairs per row": "5",
	} {
		if got[name] != want {
			t.Errorf("%s: got %q, want %q", name, got[name], want)
		}
	}
	for _, name := range []string{"processor", "kernel", "load average at the start", "Go"} {
		if got[name] == "" {
			t.Errorf("%s is missing in %v", name, got)
		}
	}
	if a.date == "" {
		t.Error("the date is missing")
	}
}

func TestPeerVersionIsParsed(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("PATH", dir)
	here := filepath.Join(dir, "here")
	script(t, here, "")
	script(t, filepath.Join(dir, "query"), `case "$1" in
ok) echo 1:1.3.6+dfsg-5 ;;
other) echo something else ;;
bad) echo "no packages found"; exit 1 ;;
esac`)
	version := regexp.MustCompile(`^(\d\S*)$`)
	for want, p := range map[string]peer{
		"1:1.3.6+dfsg-5": {requires: here, argv: []string{"query", "ok"}, pattern: version},
		"unknown":        {requires: here, argv: []string{"query", "other"}, pattern: version},
		"unknown: query ended: exit status 1: no packages found": {requires: here, argv: []string{"query", "bad"}, pattern: version},
		"not installed": {requires: filepath.Join(dir, "missing"), argv: []string{"query", "ok"}, pattern: version},
	} {
		if got := p.version(t.Context()); got != want {
			t.Errorf("%v: got %q, want %q", p.argv, got, want)
		}
	}
	if (peer{requires: "no-such-program"}).version(t.Context()) != "not installed" {
		t.Error("a missing program has a version")
	}
}

package endtoend

import (
	"path/filepath"
	"strings"
	"testing"

	"pushbench/bench"
	"pushbench/bench/agent"
	"pushbench/bench/client/engines"
	"pushbench/bench/trial"
	"pushbench/bench/validity"
	"pushbench/results"
	"pushbench/scenarios"
	"pushbench/scenarios/transports"
)

const unfair = `
version: 1
name: unfair
clients: {count: 4}
publish: {by: backend, rate: 50/s}
payload: {size: 64B}
transports: [sse, websocket]
idle: 0s
warmup: 0s
window: 300ms
drain: 300ms
repetitions: 2
`

// measureUnfair measures with additional arguments for the servers, which depend on the transport and
// the number of its previous trials, including those that a busy machine invalidated.
func measureUnfair(t *testing.T, more func(before int, transport scenarios.Transport) []string) *results.Run {
	t.Helper()
	s, err := scenarios.Read("unfair", strings.NewReader(unfair))
	if err != nil {
		t.Fatal(err)
	}
	trials := map[scenarios.Transport]int{}
	one := &agent.Local{Machine: agent.Machine{
		Drive: []string{pushbench, "drive"},
		Serve: func(j agent.Job, _ string) []string {
			transport := j.Measured.Transport
			before := trials[transport]
			trials[transport]++
			return append([]string{pushbench, "serve", string(transport), "--control", "--listen", "127.0.0.1:0"}, more(before, transport)...)
		},
	}}
	setup := &trial.Setup{Engine: engines.Names()[0], Quick: true, Servers: one, Generators: []agent.Agent{one}}
	run, err := (&bench.Run{Scenario: s, Setup: setup}).Do(t.Context(), filepath.Join(t.TempDir(), "run"), func(*results.Run) error { return nil })
	if err != nil {
		t.Fatal(err)
	}
	return run
}

// rejections returns the details of one validity check for the trials that failed it.
func rejections(run *results.Run, name string) (details []string) {
	for _, t := range run.Trials {
		for _, check := range t.FailedChecks() {
			if check.Name == name {
				details = append(details, t.Transport+": "+check.Detail)
			}
		}
	}
	return details
}

// The servers of pushbench have the same settings for every transport.
func TestOwnServersHaveTheSameSettings(t *testing.T) {
	run := measureUnfair(t, func(int, scenarios.Transport) []string { return nil })
	for _, check := range []string{validity.SameServerSettings, validity.NothingChanged} {
		if details := rejections(run, check); len(details) > 0 {
			t.Errorf("%s: %q", check, details)
		}
	}
	settings := run.Trials[0].Settings
	for _, name := range []string{"server gogc", "server sockets.nodelay", "server limits.max_payload_bytes", "generator gomaxprocs", "generator sockets.nodelay", "host server_executable"} {
		if settings[name] == "" {
			t.Errorf("%s is not among the settings", name)
		}
	}
	if run.Manifest.Ceiling <= 0 {
		t.Error("the manifest has no maximum rate of the load generator")
	}
}

// A server with different limits is not compared with the others.
func TestUnfairServersAreRejected(t *testing.T) {
	run := measureUnfair(t, func(_ int, transport scenarios.Transport) []string {
		if transport == transports.WebSocket {
			return []string{"--max-payload", "32768"}
		}
		return nil
	})
	details := rejections(run, validity.SameServerSettings)
	if len(details) < 2 || !strings.Contains(details[0], "server limits.max_payload_bytes") {
		t.Errorf("got %q, want both trials of a transport rejected for their limit", details)
	}
	if run.Manifest.Status != results.Invalid {
		t.Errorf("the run is %s: %s", run.Manifest.Status, run.Manifest.Reason)
	}
}

// A setting that changes between repetitions invalidates the trial with the new value, and a
// permanent difference is listed among the conditions.
func TestServersThatChangeBetweenRepetitionsAreRejected(t *testing.T) {
	run := measureUnfair(t, func(before int, transport scenarios.Transport) []string {
		switch {
		case transport == transports.WebSocket:
			return []string{"--batching-delay", "2ms"}
		case before > 0:
			return []string{"--batching-delay", "1ms"}
		default:
			return nil
		}
	})
	if details := rejections(run, validity.NothingChanged); len(details) < 1 || details[0] != "sse: server batching_delay_ns was 0, is 1000000" {
		t.Errorf("got %q, want the later trial of sse rejected", details)
	}
	if details := rejections(run, validity.SameServerSettings); len(details) > 0 {
		t.Errorf("batching delays are compared across transports: %q", details)
	}
	if conditions := strings.Join(run.Manifest.Conditions, "\n"); !strings.Contains(conditions, "servers differ on purpose in batching_delay_ns: sse 0, websocket 2000000") {
		t.Errorf("the conditions do not list the different batching delays: %s", conditions)
	}
}

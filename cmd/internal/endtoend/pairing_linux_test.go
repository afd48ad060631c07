package endtoend

import (
	"path/filepath"
	"strings"
	"testing"

	"pushbench/bench"
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

// unfairly measures with servers that get more arguments, by transport and by how many
// trials it had before, those that a busy machine voided included.
func unfairly(t *testing.T, more func(before int, transport scenarios.Transport) []string) *results.Run {
	t.Helper()
	s, err := scenarios.Read("unfair", strings.NewReader(unfair))
	if err != nil {
		t.Fatal(err)
	}
	trials := map[scenarios.Transport]int{}
	rig := &trial.Setup{
		Drive:  []string{pushbench, "drive"},
		Engine: engines.Names()[0],
		Quick:  true,
		Serve: func(measured scenarios.Configuration, _ string) []string {
			transport := measured.Transport
			before := trials[transport]
			trials[transport]++
			return append([]string{pushbench, "serve", string(transport), "--control", "--listen", "127.0.0.1:0"}, more(before, transport)...)
		},
	}
	run, err := (&bench.Run{Scenario: s, Setup: rig}).Do(t.Context(), filepath.Join(t.TempDir(), "run"), func(*results.Run) error { return nil })
	if err != nil {
		t.Fatal(err)
	}
	return run
}

// refusals are what one gate said of the trials that it refused.
func refusals(run *results.Run, gate string) (said []string) {
	for _, t := range run.Trials {
		for _, g := range t.FailedChecks() {
			if g.Name == gate {
				said = append(said, t.Transport+": "+g.Detail)
			}
		}
	}
	return said
}

// The servers that come with pushbench are paired, whatever the transport.
func TestOurServersArePaired(t *testing.T) {
	run := unfairly(t, func(int, scenarios.Transport) []string { return nil })
	for _, gate := range []string{validity.ServersPaired, validity.NothingChanged} {
		if said := refusals(run, gate); len(said) > 0 {
			t.Errorf("%s: %q", gate, said)
		}
	}
	settings := run.Trials[0].Settings
	for _, name := range []string{"server gogc", "server sockets.nodelay", "server limits.max_payload_bytes", "generator gomaxprocs", "generator sockets.nodelay", "host server_executable"} {
		if settings[name] == "" {
			t.Errorf("%s is not among the settings", name)
		}
	}
	if run.Manifest.Ceiling <= 0 {
		t.Error("the manifest does not have the generator's ceiling")
	}
}

// A server with a limit of its own is not compared with the others.
func TestUnfairServersAreRefused(t *testing.T) {
	run := unfairly(t, func(_ int, transport scenarios.Transport) []string {
		if transport == transports.WebSocket {
			return []string{"--max-payload", "32768"}
		}
		return nil
	})
	said := refusals(run, validity.ServersPaired)
	if len(said) < 2 || !strings.Contains(said[0], "server limits.max_payload_bytes") {
		t.Errorf("got %q, want both trials of a transport refused for their limit", said)
	}
	if run.Manifest.Status != results.Invalid {
		t.Errorf("the run is %s: %s", run.Manifest.Status, run.Manifest.Reason)
	}
}

// What changes from one block to the next voids the trial that it changed in, and a
// difference that stays is named among the conditions.
func TestServersThatChangeBetweenBlocksAreRefused(t *testing.T) {
	run := unfairly(t, func(before int, transport scenarios.Transport) []string {
		switch {
		case transport == transports.WebSocket:
			return []string{"--batching-delay", "2ms"}
		case before > 0:
			return []string{"--batching-delay", "1ms"}
		default:
			return nil
		}
	})
	if said := refusals(run, validity.NothingChanged); len(said) < 1 || said[0] != "sse: server flush_ns was 0, is 1000000" {
		t.Errorf("got %q, want the later sse refused", said)
	}
	if said := refusals(run, validity.ServersPaired); len(said) > 0 {
		t.Errorf("flush windows are compared across transports: %q", said)
	}
	if conditions := strings.Join(run.Manifest.Conditions, "\n"); !strings.Contains(conditions, "on purpose, servers differ in flush_ns: sse 0, websocket 2000000") {
		t.Errorf("the conditions do not say that flush windows differ: %s", conditions)
	}
}

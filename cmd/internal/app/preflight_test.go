package app

import (
	"strings"
	"testing"

	"pushbench/scenarios"
)

// Servers are added until the clients fit, unless their number is given or the clients publish. The
// text names the lower limit.
func TestFit(t *testing.T) {
	tests := map[string]struct {
		clients, servers int
		by               scenarios.Publisher
		given            bool
		room             room
		want             int    // servers; 0: refused
		text             string // part of the notice or the error
	}{
		"it fits":                          {900, 1, scenarios.ByBackend, false, room{1000, 28000}, 1, ""},
		"one too many":                     {901, 1, scenarios.ByBackend, false, room{1000, 28000}, 2, "901 clients × 1 connection + 100 = 1001 open files in the server and as many in the load generator, but a process may have 1000 (ulimit -n): 2 servers share the clients, 451 each"},
		"a hundred thousand":               {100_000, 1, scenarios.ByBackend, false, room{20_000, 28_232}, 6, "6 servers share the clients, 16667 each"},
		"ports are the limit":              {100_000, 1, scenarios.ByBackend, false, room{1_000_000, 28_232}, 4, "the kernel has 28232 ports available for connections to one server: 4 servers"},
		"one given":                        {901, 1, scenarios.ByBackend, true, room{1000, 28000}, 0, "use 2 servers"},
		"too few given":                    {2000, 2, scenarios.ByBackend, false, room{1000, 28000}, 0, "use 3 servers"},
		"enough given":                     {1800, 2, scenarios.ByBackend, false, room{1000, 28000}, 2, ""},
		"clients publish":                  {451, 1, scenarios.ByClients, false, room{1000, 28000}, 0, "451 clients × 2 connections, as it also publishes + 100 = 1002 open files"},
		"no room for one client":           {1, 1, scenarios.ByBackend, false, room{100, 28000}, 0, "use fewer clients or raise the limit"},
		"fewer files than a process needs": {1, 1, scenarios.ByBackend, false, room{64, 28000}, 0, "in the load generator, but a process may have 64 (ulimit -n); use fewer clients or raise the limit"},
		"more than the limit":              {100_000, 1, scenarios.ByBackend, false, room{200, 28000}, 0, "servers"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			s, err := scenarios.Load("crowd")
			if err != nil {
				t.Fatal(err)
			}
			s.Clients.Count, s.Servers, s.Publish.By = test.clients, test.servers, test.by
			var stderr strings.Builder
			err = Env{Err: &stderr}.fit(s, test.room, test.given)
			text := stderr.String()
			if err != nil {
				text = err.Error()
			}
			if (err != nil) != (test.want == 0) || err == nil && s.Servers != test.want {
				t.Errorf("%d servers, %v; want %d", s.Servers, err, test.want)
			}
			if !strings.Contains(text, test.text) || test.text == "" && text != "" {
				t.Errorf("got %q, want %q", text, test.text)
			}
		})
	}
}

// Several servers cannot share the clients of a server that is running already: it would receive each message once
// per server.
func TestARunningServerIsOne(t *testing.T) {
	s, err := scenarios.Load("crowd")
	if err != nil {
		t.Fatal(err)
	}
	running := &scenarios.Target{Name: "mine", URL: "http://127.0.0.1:1"}
	s.Targets = map[scenarios.TargetName]*scenarios.Target{"mine": running}
	s.Sweep.Target = []scenarios.TargetName{"mine"}
	if err := (Env{}).fit(s, room{1000, 28000}, false); err == nil || !strings.HasSuffix(err.Error(), "; use fewer clients or raise the limit") {
		t.Error(err)
	}
	s.Servers = 2
	const want = "--target: mine cannot be measured with scenario crowd: 2 servers share the clients, and its url is one server; allowed: servers: 1"
	if err := fits("--target", s, running); err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

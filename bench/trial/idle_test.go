package trial

import (
	"bufio"
	"fmt"
	"math"
	"net"
	"os"
	"strings"
	"syscall"
	"testing"

	"pushbench/bench/child"
	"pushbench/bench/client/engines"
	"pushbench/bench/generator/generatortest"
	"pushbench/results"
	"pushbench/scenarios"
	"pushbench/scenarios/transports"
)

// knownPerClient is the memory in bytes that serveKnownMemory keeps per connection: far more than its runtime allocates
// meanwhile.
const knownPerClient = 4 << 20

// serveKnownMemory is a server with knownPerClient bytes per connection. reply is its reply to a command.
func serveKnownMemory(reply string) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	s := &statsServer{}
	var kept [][]byte
	server := s.server(func() {
		// Mapped rather than allocated: the race detector shadows Go's allocations.
		memory, err := syscall.Mmap(-1, 0, knownPerClient, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_PRIVATE|syscall.MAP_ANON)
		if err != nil {
			panic(err)
		}
		for page := 0; page < len(memory); page += 4096 {
			memory[page] = 1
		}
		kept = append(kept, memory)
	})
	go func() { _ = server.Serve(ln) }()
	fmt.Printf(`{"listening":%q,"settings":"small"}`+"\n", ln.Addr())
	for commands := bufio.NewScanner(os.Stdin); commands.Scan(); {
		child.CollectGarbage()
		fmt.Println(reply)
	}
	server.Close()
}

func idleSetup(t *testing.T, server string) (*Setup, *scenarios.Scenario) {
	t.Helper()
	t.Setenv("GORACE", "atexit_sleep_ms=0") // else the race detector delays the exit of each child by 1 s
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	s, err := scenarios.Read("test", strings.NewReader(fmt.Sprintf(generatortest.PollScenario, "clients")))
	if err != nil {
		t.Fatal(err)
	}
	return &Setup{
		Serve: func(scenarios.Configuration, string) []string { return []string{self, server} },
		Drive: []string{self, "generator"}, Engine: engines.Names()[0], Ceiling: 1e9,
	}, s
}

// The slope must be the memory that a server really keeps per client, whatever it has allocated before.
func TestIdleMemoryOfAKnownServer(t *testing.T) {
	setup, s := idleSetup(t, "server-known-memory")
	clients := IdleClients{First: 5, Added: 40}
	m, err := setup.IdleMemory(t.Context(), s, scenarios.Configuration{Transport: transports.ShortPoll}, clients)
	if err != nil {
		t.Fatal(err)
	}
	if m.Probes != 1 || m.First != 5 || m.Added != 40 || m.Server.Resident < m.Server.First || m.Generator.First <= 0 {
		t.Errorf("got %+v, want one probe of 5 and 40 clients", m)
	}
	if got, want := float64(m.Server.All-m.Server.First), float64(40*knownPerClient); math.Abs(got/want-1) > 0.1 {
		t.Errorf("40 clients added %.0f bytes, want %.0f within 10 %%", got, want)
	}
}

// A failed probe leaves no value and its reason, and the trial is complete.
func TestFailedIdleMemoryIsAWarning(t *testing.T) {
	for name, c := range map[string]struct {
		server  string
		clients IdleClients
		want    string
	}{
		"no garbage collection": {"server-no-collect", IdleClients{First: 1, Added: 1}, "server did not collect garbage"},
		"too few descriptors":   {"server-known-memory", IdleClients{First: 1, Added: 1 << 40}, "need 1099511627877 open files"},
	} {
		t.Run(name, func(t *testing.T) {
			setup, s := idleSetup(t, c.server)
			setup.IdleClients = c.clients
			trial := &Trial{Setup: setup, Scenario: s, Measured: scenarios.Configuration{Transport: transports.ShortPoll}, Repetition: 1, Run: 7}
			result, err := trial.Measure(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			const prefix = "the memory of idle clients was not measured: "
			if len(result.Warnings) == 0 || !strings.HasPrefix(result.Warnings[0], prefix) || !strings.Contains(result.Warnings[0], c.want) {
				t.Errorf("warnings %q, want %q", result.Warnings, prefix+c.want)
			}
			if result.Cost.Idle != (results.IdleMemory{}) || result.Ledger.Delivered == 0 {
				t.Errorf("got %+v and %d messages, want no memory and all messages", result.Cost.Idle, result.Ledger.Delivered)
			}
		})
	}
}

// The probe of every shipped scenario must be a valid scenario of the same subscriptions.
func TestIdleScenariosAreValid(t *testing.T) {
	for _, name := range scenarios.Names() {
		shipped, err := scenarios.Load(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range shipped.Configurations() {
			s := shipped.For(c)
			idle, err := scenarios.Read("idle", strings.NewReader(string(idleScenario(s, DefaultIdleClients).YAML())))
			if err != nil {
				t.Errorf("%s, %s: %v", name, c.Name(), err)
				continue
			}
			perTopic := func(s *scenarios.Scenario) float64 { return float64(s.Clients.Count) / float64(s.Topics.Count) }
			few := s.Topics.Count*idle.Clients.Count < 20*s.Clients.Count // too few topics to keep the ratio
			if idle.Topics.PerClient != s.Topics.PerClient || !few && math.Abs(perTopic(idle)/perTopic(s)-1) > 0.1 {
				t.Errorf("%s: %+v for %+v, want the same subscriptions per client and per topic", name, idle.Topics, s.Topics)
			}
		}
	}
}

package trial

import (
	"bufio"
	"fmt"
	"math"
	"net"
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"pushbench/bench/child"
	"pushbench/bench/client/engines"
	"pushbench/bench/generator/generatortest"
	"pushbench/scenarios"
	"pushbench/scenarios/transports"
)

// knownPerClient is the memory in bytes that serveKnownMemory keeps per connection: far more than its runtime allocates
// meanwhile.
const knownPerClient = 4 << 20

// usedBefore is the memory in bytes that serveUsedMemory has returned before it greets: more than a test's clients need.
const usedBefore = 1 << 30

// serveUsedMemory is the server of a target that was running already and has had many clients.
func serveUsedMemory() {
	memory := touched(usedBefore)
	if err := syscall.Munmap(memory); err != nil {
		panic(err)
	}
	serveTargetMemory()
}

// serveTargetMemory is serveKnownMemory as the server of a target that was running already.
func serveTargetMemory() {
	serveKnownMemory(`"target":"mine","pid":`+strconv.Itoa(os.Getpid()), "")
}

// touched maps memory rather than allocating it: the race detector shadows Go's allocations.
func touched(size int) []byte {
	memory, err := syscall.Mmap(-1, 0, size, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_PRIVATE|syscall.MAP_ANON)
	if err != nil {
		panic(err)
	}
	for page := 0; page < len(memory); page += 4096 {
		memory[page] = 1
	}
	return memory
}

// serveKnownMemory is a server with knownPerClient bytes per connection. greeting is a part of its greeting, reply its reply
// to a command.
func serveKnownMemory(greeting, reply string) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	s := &statsServer{}
	var kept [][]byte
	server := s.server(func() {
		kept = append(kept, touched(knownPerClient))
	})
	go func() { _ = server.Serve(ln) }()
	fmt.Printf("{\"listening\":%q,%s}\n", ln.Addr(), greeting)
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

// idleTarget makes a scenario measure a server that is running already, whose costs are in the given line.
func idleTarget(t *testing.T, s *scenarios.Scenario, cost string) scenarios.Configuration {
	t.Helper()
	target, err := scenarios.ReadTarget("mine.yaml", strings.NewReader(`version: 1
name: mine
url: http://127.0.0.1:9
`+cost+`
transports: {shortpoll: {path: /poll}}
publish: {post: /publish, create: {put: "/topics/{topic}"}}
`))
	if err != nil {
		t.Fatal(err)
	}
	s.Targets = map[scenarios.TargetName]*scenarios.Target{"mine": target}
	return scenarios.Configuration{Transport: transports.ShortPoll, Target: "mine"}
}

// The server of a target receives no commands and reports no requests. It refuses to create a topic twice.
func TestIdleMemoryOfATarget(t *testing.T) {
	setup, s := idleSetup(t, "target-known-memory")
	m, err := setup.IdleMemory(t.Context(), s, idleTarget(t, s, "cost: {pid: 1}"), IdleClients{First: 20, Added: 40})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := float64(m.Server.All-m.Server.First), float64(40*knownPerClient); math.Abs(got/want-1) > 0.1 {
		t.Errorf("40 clients added %.0f bytes, want %.0f within 10 %%", got, want)
	}
}

func TestIdleMemoryOfATargetThatCannotBeRead(t *testing.T) {
	for name, c := range map[string]struct{ server, cost, want string }{
		"page":         {"target-known-memory", "cost: {prometheus: 'http://127.0.0.1:9/metrics'}", "cost.prometheus"},
		"no cost":      {"target-known-memory", "", "neither start nor cost.pid"},
		"used earlier": {"target-used-memory", "cost: {pid: 1}", "left over from earlier clients"},
	} {
		t.Run(name, func(t *testing.T) {
			setup, s := idleSetup(t, c.server)
			_, err := setup.IdleMemory(t.Context(), s, idleTarget(t, s, c.cost), IdleClients{First: 1, Added: 1})
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want an error with %q", err, c.want)
			}
		})
	}
}

// A failed probe leaves no value and its reason, and the trial is complete.
func TestIdleMemoryIsNotMeasuredForAReason(t *testing.T) {
	for name, c := range map[string]struct {
		server  string
		clients IdleClients
		quick   bool
		want    string
	}{
		"no garbage collection": {"server-no-collect", IdleClients{First: 1, Added: 1}, false, "server did not collect garbage"},
		"too few descriptors":   {"server-known-memory", IdleClients{First: 1, Added: 1 << 40}, false, "need 1099511627877 open files"},
		"quick":                 {"server-known-memory", IdleClients{}, true, "--quick"},
	} {
		t.Run(name, func(t *testing.T) {
			setup, s := idleSetup(t, c.server)
			setup.IdleClients, setup.Quick = c.clients, c.quick
			trial := &Trial{Setup: setup, Scenario: s, Measured: scenarios.Configuration{Transport: transports.ShortPoll}, Repetition: 1, Run: 7}
			result, err := trial.Measure(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			idle := result.Cost.Idle
			if !strings.Contains(idle.NotMeasured, c.want) || idle.Probes != 0 || result.Ledger.Delivered == 0 {
				t.Errorf("got %+v and %d messages, want no memory, a reason with %q, and all messages", idle, result.Ledger.Delivered, c.want)
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

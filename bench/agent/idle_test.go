package agent

import (
	"fmt"
	"math"
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"pushbench/bench/client/engines"
	"pushbench/bench/generator/generatortest"
	"pushbench/results"
	"pushbench/scenarios"
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
	serveKnownMemory(`"target":"mine","pid":` + strconv.Itoa(os.Getpid()))
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

// serveKnownMemory is a server with knownPerClient bytes per connection. greeting is a part of its greeting.
func serveKnownMemory(greeting string) {
	var kept [][]byte
	new(generatortest.StatsServer).Serve(greeting, func() { kept = append(kept, touched(knownPerClient)) }, `{"collected":true}`)
}

// idleMemory measures the memory of idle clients of a server, which is one of the test's roles.
func idleMemory(t *testing.T, server string, change func(*scenarios.Scenario) scenarios.Configuration, clients IdleClients) (results.IdleMemory, error) {
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
	one := &Local{Machine: Machine{Serve: func(Job, string) []string { return []string{self, server} }, Drive: []string{self, "generator"}}}
	return one.IdleMemory(t.Context(), Job{Scenario: s, Measured: change(s), Engine: engines.Names()[0]}, clients)
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

package scenarios

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pushbench/scenarios/transports"
)

func namesOf(configurations []Configuration) []string {
	var names []string
	for _, c := range configurations {
		names = append(names, c.Name())
	}
	return names
}

func TestConfigurations(t *testing.T) {
	for text, want := range map[string]string{
		"": "shortpoll, longpoll, sse, websocket",
		"library: nethttp\nwebsocket: {batching_delay: 5ms}\n":                     "shortpoll, longpoll, sse, websocket",
		"transports: [websocket, shortpoll]\nsweep: {batching_delay: [0s, 5ms]}\n": "websocket batching_delay=0s, websocket batching_delay=5ms, shortpoll",
		"transports: [shortpoll, sse]\nsweep: {library: [fasthttp, nethttp], batching_delay: [20ms, 0s]}\n": "shortpoll library=fasthttp, shortpoll library=nethttp, " +
			"sse library=fasthttp batching_delay=20ms, sse library=fasthttp batching_delay=0s, sse library=nethttp batching_delay=20ms, sse library=nethttp batching_delay=0s",
		"transports: [sse]\nsweep: {library: [nethttp]}\n": "sse library=nethttp",
		"transports: [longpoll, sse]\nsweep: {tls: [true, false], new_connection: [false, true]}\n": "longpoll connection=kept tls=yes, longpoll connection=kept tls=no, " +
			"longpoll connection=new tls=yes, longpoll connection=new tls=no, sse tls=yes, sse tls=no",
		"transports: [shortpoll, websocket]\nsweep: {heartbeat: [0s, 4s], rtt: [0s, 40ms]}\n": "shortpoll rtt=0s, shortpoll rtt=40ms, " +
			"websocket rtt=0s heartbeat=0s, websocket rtt=40ms heartbeat=0s, websocket rtt=0s heartbeat=4s, websocket rtt=40ms heartbeat=4s",
		"transports: [shortpoll]\nshortpoll: {new_connection: true}\nnetwork: {tls: true}\n": "shortpoll",
	} {
		if got := strings.Join(namesOf(read(t, small+text).Configurations()), ", "); got != want {
			t.Errorf("%s\ngot  %s\nwant %s", text, got, want)
		}
	}
}

func TestConfigurationHasTheScenariosValuesWithoutSweep(t *testing.T) {
	s := read(t, small+"library: nethttp\nwebsocket: {batching_delay: 5ms}\n")
	configurations := s.Configurations()
	if got, want := configurations[len(configurations)-1], (Configuration{Transport: transports.WebSocket, Library: NetHTTP, BatchingDelay: Duration(5 * time.Millisecond)}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

// Servers and load generators receive the scenario of a configuration, which must be valid by itself.
func TestScenarioOfAConfigurationIsValid(t *testing.T) {
	s := read(t, small+"sweep: {library: [nethttp, fasthttp], batching_delay: [0s, 5ms], tls: [false, true], new_connection: [false, true]}\nassertions: [websocket library=nethttp batching_delay=0s tls=yes lost == 0]\n")
	for _, c := range s.Configurations() {
		alone := s.For(c)
		own := setting[bool]("NewConnection")(alone, c.Transport)
		newConnection := own != nil && *own
		if alone.Library != c.Library || alone.BatchingDelay(c.Transport) != c.BatchingDelay || alone.Network.TLS != c.TLS || newConnection != c.NewConnection {
			t.Errorf("%s: got library %s, batching delay %s, TLS %t, new connections %t", c.Name(), alone.Library, alone.BatchingDelay(c.Transport), alone.Network.TLS, newConnection)
		}
		if err := alone.Check(); err != nil {
			t.Errorf("%s: %v", c.Name(), err)
		}
		if diff := cmp.Diff([]string{"shortpoll", "longpoll", "sse", "websocket"}, namesOf(alone.Configurations())); diff != "" {
			t.Errorf("%s: -want +got:\n%s", c.Name(), diff)
		}
	}
	if len(s.Sweep.Library) != 2 {
		t.Error("For changed the scenario itself")
	}
}

// ServeFlags contains the values that concern a server. The others concern only the clients.
func TestServeFlags(t *testing.T) {
	s := read(t, small+"transports: [sse]\nnetwork: {rtt: 40ms, link: packets}\nsweep: {library: [fasthttp], batching_delay: [0s, 5ms], heartbeat: [4s], clients: [3], tls: [true]}\n")
	var got []string
	for _, c := range s.Configurations() {
		got = append(got, strings.Join(c.ServeFlags(), " "))
	}
	want := []string{"--library fasthttp --heartbeat 4s --tls", "--library fasthttp --batching-delay 5ms --heartbeat 4s --tls"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestSweepByAFlagIsChecked(t *testing.T) {
	s := read(t, small)
	s.Sweep.BatchingDelay = []Duration{0, 0}
	if err := s.Check(); err == nil || !strings.Contains(err.Error(), "sweep.batching_delay[1]") {
		t.Errorf("got %v", err)
	}
}

// Rows name values that Vary reads again, on every axis.
func TestVaryReadsTheNamesOfConfigurations(t *testing.T) {
	values := map[string]string{
		"library": "nethttp, fasthttp", "batching_delay": "0s, 5ms", "clients": "3, 7", "rate": "0.5/s, 20/s", "payload": "64B, 1KiB", "interval": "100ms, 1.5s",
		"rtt": "0s, 20ms", "heartbeat": "0s, 4s", "forward": "false, true", "new_connection": "false, true", "tls": "false, true", "target": "nchan, reference",
	}
	for i, a := range axes {
		s := &Scenario{Transports: AllTransports}
		if err := s.Vary(a.field(), values[a.field()]); err != nil {
			t.Fatal(err)
		}
		var name string
		var printed []string
		for _, c := range s.Configurations() {
			if c.sweeps(i) {
				before, value, _ := strings.Cut(a.label(c), "=")
				name, printed = before, append(printed, value)
			}
		}
		slices.Sort(printed)
		printed = slices.Compact(printed)
		again := &Scenario{Transports: AllTransports}
		if err := again.Vary(name, strings.Join(printed, ",")); err != nil {
			t.Error(err)
			continue
		}
		var reread []string
		for _, c := range again.Configurations() {
			if c.sweeps(i) {
				reread = append(reread, strings.TrimPrefix(a.label(c), name+"="))
			}
		}
		slices.Sort(reread)
		if reread = slices.Compact(reread); !slices.Equal(reread, printed) || SweepField(name) != a.field() {
			t.Errorf("--sweep %s=%v measures %v", name, printed, reread)
		}
	}
}

// The library reference is one of the others with each transport, and measured once.
func TestEqualLibrariesAreOneConfiguration(t *testing.T) {
	for libraries, want := range map[string][]string{
		"reference, nethttp, fasthttp": {"sse library=fasthttp", "sse library=nethttp", "websocket library=nethttp", "websocket library=fasthttp"},
		"nethttp, reference":           {"sse library=nethttp", "sse library=fasthttp", "websocket library=nethttp"},
		"nethttp, fasthttp":            {"sse library=nethttp", "sse library=fasthttp", "websocket library=nethttp", "websocket library=fasthttp"},
	} {
		s := &Scenario{Transports: []Transport{transports.SSE, transports.WebSocket}}
		if err := s.Vary("library", libraries); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, namesOf(s.Configurations())); diff != "" {
			t.Errorf("%s: -want +got:\n%s", libraries, diff)
		}
	}
	s := &Scenario{Transports: []Transport{transports.SSE}, Library: Reference}
	if c := s.Configurations(); c[0].Library != Reference {
		t.Errorf("without a sweep the library is %s, want %s", c[0].Library, Reference)
	}
}

// The warm-up is as long as a message takes, by the slowest of the transports and settings, or the user is told.
func TestShortWarmupsAndWindowsAreNamed(t *testing.T) {
	for fields, want := range map[string]string{
		"warmup: 1s\n":                      "",
		"warmup: 999ms\n":                   "the warm-up of 999ms is shorter than the interval of short polling, 1s: its costs per message are too high",
		"warmup: 999ms\ndelivery: latest\n": "",
		"warmup: 200ms\ndelivery: latest\n": "the warm-up of 200ms is shorter than the interval of short polling, 1s: its costs per message are too high",
		"warmup: 900ms\ntransports: [websocket]\nnetwork: {rtt: 1s}\n":               "the warm-up of 900ms is shorter than the round trip, 1s: costs per message are too high",
		"warmup: 900ms\ntransports: [sse]\nsweep: {batching_delay: [0s, 950ms]}\n":   "the warm-up of 900ms is shorter than the batching delay, 950ms: costs per message are too high",
		"warmup: 900ms\ndrain: 9s\nsweep: {rtt: [10ms, 2s]}\n":                       "the warm-up of 900ms is shorter than the round trip, 2s: costs per message are too high",
		"warmup: 1s\nheartbeat: 6s\ntopics: {count: 100}\ntransports: [websocket]\n": "the window of 5s is shorter than the heartbeat interval, 6s: costs per message have a heartbeat per client too many or too few",
		"warmup: 1s\nheartbeat: 6s\ntopics: {count: 100}\ntransports: [shortpoll]\n": "",
	} {
		if got := read(t, small+fields).Unsettled(); got != want {
			t.Errorf("%q: got %q, want %q", fields, got, want)
		}
	}
}

// What short polling requires of a scenario does not apply to servers that do not have it.
func TestTransportsThatNoTargetHasAreNotMeasured(t *testing.T) {
	s := read(t, small+"warmup: 0s\ndrain: 10s\n")
	if s.Unsettled() == "" || s.longestWait() < s.longestInterval() {
		t.Fatal("short polling does not apply")
	}
	s.Targets = map[TargetName]*Target{"mine": {Name: "mine"}}
	s.Targets["mine"].Transports.WebSocket.Path = "/chat"
	s.Sweep.Target = []TargetName{"mine"}
	if why := s.Unsettled(); why != "" || s.longestWait() >= s.longestInterval() {
		t.Errorf("%q, longest wait %v", why, s.longestWait())
	}
	s.Sweep.Target = []TargetName{"mine", ReferenceTarget}
	if s.Unsettled() == "" {
		t.Error("short polling of the reference does not apply")
	}
}

package scenarios

import (
	"bytes"
	"regexp"
	"testing"
	"time"

	"pgregory.net/rapid"

	"pushbench/results/metric"
	"pushbench/scenarios/transports"
)

// Limits of the fields, as in their struct tags.
const (
	maxClients, maxTopics, maxPerClient, maxRepetitions = 1_000_000, 1_000_000, 256, 1000

	maxSkew, minWeight, maxWeight = 10, 1e-6, 1e6

	minInterval, maxPhase, maxPause       = Duration(time.Millisecond), Duration(time.Hour), Duration(10 * time.Minute)
	minTimeout, maxTimeout, minDrain      = Duration(time.Second), Duration(30 * time.Second), Duration(10 * time.Millisecond)
	maxDelay, maxDelays                   = Duration(time.Second), 8
	maxRTT, maxJitter                     = Duration(2 * time.Second), Duration(time.Second)
	minLinkRate, maxLinkRate         Size = 1e3, 1e9
)

// names includes names that YAML would read as another type without quotes.
var names = rapid.OneOf(
	rapid.StringMatching(`^[a-z0-9][a-z0-9_-]{0,63}$`),
	rapid.SampledFrom([]string{"null", "true", "on", "no", "0", "010", "1e5", "0x1f", "0o7", "0b1", "1_000", "2024-01-01", "y"}),
)

// texts draws lines of visible characters, mainly those with a meaning in YAML.
var texts = rapid.Map(
	rapid.StringOfN(rapid.OneOf(rapid.SampledFrom([]rune(": #-?'\"|>&*!%@`{}[],~\\<\tn0é世🙂")), rapid.Rune()), 0, 60, -1),
	func(text string) string {
		return oneLine(string(bytes.Map(func(r rune) rune {
			if hidden(r) {
				return -1
			}
			return r
		}, []byte(text))))
	},
)

func durations(least, most Duration) *rapid.Generator[Duration] {
	return rapid.Map(rapid.Int64Range(int64(least), int64(most)), func(n int64) Duration { return Duration(n) })
}

func payloads() *rapid.Generator[Payload] {
	size := rapid.Map(rapid.Int64Range(32, 64<<10), func(n int64) Size { return Size(n) })
	weighted := rapid.Custom(func(t *rapid.T) SizeWeight {
		return SizeWeight{size.Draw(t, "size"), rapid.Float64Range(minWeight, maxWeight).Draw(t, "weight")}
	})
	return rapid.Custom(func(t *rapid.T) Payload {
		if rapid.Bool().Draw(t, "one size") {
			return Payload{Size: size.Draw(t, "size")}
		}
		distinct := func(sw SizeWeight) Size { return sw.Size }
		return Payload{Sizes: rapid.SliceOfNDistinct(weighted, 1, 5, distinct).Draw(t, "sizes")}
	})
}

// valid draws a valid scenario of moderate size.
var valid = rapid.Custom(func(t *rapid.T) *Scenario {
	window := durations(Duration(time.Second), maxPhase).Draw(t, "window")
	interval := durations(minInterval, maxPause-3*(maxRTT+2*maxJitter)).Draw(t, "interval")
	topics := rapid.IntRange(1, 50).Draw(t, "topics")
	network := Network{Link: rapid.SampledFrom([]LinkKind{StreamLink, PacketLink}).Draw(t, "link"), RTT: durations(0, maxRTT).Draw(t, "round trip"), Jitter: durations(0, maxJitter).Draw(t, "jitter")}
	if network.Link == PacketLink {
		network.Loss = Percent(rapid.Float64Range(0, 50).Draw(t, "loss"))
		network.Reorder = Percent(rapid.Float64Range(0, 50).Draw(t, "reorder"))
	}
	if rapid.Bool().Draw(t, "limited") {
		network.Rate = Size(rapid.Int64Range(int64(minLinkRate), int64(maxLinkRate)).Draw(t, "link rate"))
	}
	delay := durations(0, maxDelay)
	s := &Scenario{
		Version:     Version,
		Name:        names.Draw(t, "name"),
		Description: texts.Draw(t, "description"),
		Question:    texts.Draw(t, "question"),
		Purpose:     rapid.SampledFrom(append([]Purpose{""}, Purposes...)).Draw(t, "purpose"),
		Transports:  rapid.Permutation(ClientOpened).Draw(t, "transports")[:rapid.IntRange(1, len(ClientOpened)).Draw(t, "transports")],
		Clients: Clients{
			Count:       rapid.IntRange(1, 100).Draw(t, "clients"),
			ConnectRate: Rate(rapid.Float64Range(1, 1e6).Draw(t, "connect rate")),
		},
		Topics: Topics{
			Count:     topics,
			PerClient: rapid.IntRange(1, topics).Draw(t, "per client"),
			Spread:    rapid.SampledFrom([]Spread{Even, Random, Zipf}).Draw(t, "spread"),
			Skew:      rapid.Float64Range(0, maxSkew).Draw(t, "skew"),
		},
		Publish: Publish{
			By:       rapid.SampledFrom([]Publisher{ByClients, ByBackend, ByPublishOnly}).Draw(t, "by"),
			Rate:     Rate(rapid.Float64Range(10, 1000).Draw(t, "rate")),
			Arrivals: rapid.SampledFrom([]Arrivals{Poisson, Periodic, Burst}).Draw(t, "arrivals"),
			Burst:    rapid.IntRange(1, 10).Draw(t, "burst"),
		},
		Payload:  payloads().Draw(t, "payload"),
		Network:  network,
		Delivery: rapid.SampledFrom([]Delivery{Every, Latest}).Draw(t, "delivery"),
		ShortPoll: ShortPollSettings{
			interval, rapid.SampledFrom([]Pacing{FixedRate, FixedDelay}).Draw(t, "pacing"), rapid.Bool().Draw(t, "new"),
		},
		LongPoll:    LongPollSettings{Timeout: durations(minTimeout, maxTimeout).Draw(t, "timeout"), NewConnection: rapid.Bool().Draw(t, "new")},
		Idle:        durations(0, maxPause).Draw(t, "idle"),
		Warmup:      durations(0, window-1).Draw(t, "warmup"),
		Window:      window,
		Drain:       durations(max(minDrain, max(interval, maxDelay)+3*(network.RTT+2*network.Jitter)), maxPause).Draw(t, "drain"),
		Repetitions: rapid.IntRange(1, maxRepetitions).Draw(t, "repetitions"),
		Seed:        rapid.Uint64().Draw(t, "seed"),
		Cost:        rapid.SampledFrom([]Cost{"", ByCPU, ByPrice}).Draw(t, "cost"),
		Compare: Compare{
			Primary: rapid.Permutation(metric.Primary()).Draw(t, "metrics")[:rapid.IntRange(1, len(metric.Primary())).Draw(t, "metrics")],
			Against: rapid.SampledFrom(append(transports.Names[Against](nil), AllPairs, "")).Draw(t, "against"),
			Margin:  Percent(rapid.Float64Range(0.1, 100).Draw(t, "margin")),
		},
		Servers: 1,
		Library: rapid.SampledFrom(Libraries).Draw(t, "library"),
	}
	for _, transport := range transports.Names[Transport](batches) {
		*batchingDelayOf(s, transport) = delay.Draw(t, "batching delay")
	}
	if s.Publish.By == ByBackend && rapid.Bool().Draw(t, "with upstream") {
		s.Upstream = Upstream{Rate(rapid.Float64Range(10, 1000).Draw(t, "upstream rate")), Size(rapid.Int64Range(32, 64<<10).Draw(t, "upstream size"))}
	}
	if !s.ClientsPublish() {
		s.Servers = rapid.IntRange(1, min(MaxServers, s.Clients.Count)).Draw(t, "servers")
	}
	if rapid.Bool().Draw(t, "sweep library") {
		s.Library, s.Sweep.Library = Reference, rapid.Permutation(Libraries).Draw(t, "libraries")[:rapid.IntRange(1, 3).Draw(t, "libraries")]
	}
	if s.measures(batches) && rapid.Bool().Draw(t, "sweep batching delay") {
		s.SetBatchingDelay(0)
		s.Sweep.BatchingDelay = rapid.SliceOfNDistinct(delay, 1, maxDelays, rapid.ID[Duration]).Draw(t, "batching delays")
	}
	if rapid.Bool().Draw(t, "with assertions") {
		some := rapid.SampledFrom(s.Configurations()).Draw(t, "configuration").Name()
		s.Assertions = assertions(t, "assertions", "lost == 0", "age p(99)<1s", "p50 < 2 * "+some, some+" max > 1ms")
		s.Requirements = assertions(t, "requirements", "lost == 0", "p(99) < 1s")
	}
	return s
})

// assertions draws some of the texts.
func assertions(t *rapid.T, label string, texts ...string) (all []metric.Assertion) {
	for _, text := range rapid.SliceOfNDistinct(rapid.SampledFrom(texts), 1, len(texts), rapid.ID[string]).Draw(t, label) {
		a, err := ParseAssertion(text)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, a)
	}
	return all
}

func TestYAMLReadsBackEqual(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) { checkRoundTrip(t, valid.Draw(t, "scenario")) })
}

func TestHash(t *testing.T) {
	s := read(t, small)
	hash := s.Hash()
	if !regexp.MustCompile(`^[0-9a-f]{64}$`).MatchString(hash) {
		t.Errorf("got %q, want 64 hex digits", hash)
	}
	if other := read(t, "# a comment\n"+small+"seed: 1 # the default\n").Hash(); other != hash {
		t.Errorf("another layout of the same scenario: got %s, want %s", other, hash)
	}
	if other := read(t, small+"seed: 2\n").Hash(); other == hash {
		t.Errorf("another seed has the same hash %s", hash)
	}
}

// Run folders of format version 2 contain this hash of their scenario.
func TestHashStaysTheSame(t *testing.T) {
	s := read(t, small+"requirements: [p(99) < 1s]\nassertions: [\"websocket  lost == 0\"]\npublished: {source: x, values: [{what: y, printed: z, value: sse p(99)}]}\n")
	if got, want := s.Hash(), "f94e3d55f6ec10c885abea251c494514fe446c93d72be905dc02725b7defed04"; got != want {
		t.Errorf("got %s, want %s, of\n%s", got, want, s.YAML())
	}
}

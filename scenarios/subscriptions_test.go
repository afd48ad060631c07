package scenarios

import (
	"fmt"
	"math"
	"math/rand/v2"
	"regexp"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func TestEvenDealsTopicsInTurn(t *testing.T) {
	s := &Scenario{Topics: Topics{Count: 5, PerClient: 2, Spread: Even}}
	want := [][]int{{0, 1}, {2, 3}, {0, 4}, {1, 2}, {3, 4}, {0, 1}}
	for c := range want {
		if diff := cmp.Diff(want[c], s.Subscriptions(c)); diff != "" {
			t.Errorf("client %d -want +got:\n%s", c, diff)
		}
	}
}

func TestSubscriptionsAreDistinctAndRepeatable(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s, client := valid.Draw(t, "scenario"), rapid.IntRange(0, maxClients).Draw(t, "client")
		got := s.Subscriptions(client)
		distinct := slices.Compact(slices.Clone(got))
		if len(distinct) != s.Topics.PerClient || !slices.IsSorted(got) || got[0] < 0 || got[len(got)-1] >= s.Topics.Count {
			t.Fatalf("got %v, want %d distinct topics of %d in order", got, s.Topics.PerClient, s.Topics.Count)
		}
		if second := s.Subscriptions(client); !slices.Equal(got, second) {
			t.Fatalf("got %v, then %v", got, second)
		}
	})
}

func TestSubscriptionsDependOnTheSeed(t *testing.T) {
	for _, spread := range []Spread{Random, Zipf} {
		one := &Scenario{Topics: Topics{Count: 1000, PerClient: 5, Spread: spread, Skew: 1}, Seed: 1}
		two := *one
		two.Seed = 2
		same := 0
		for c := range 100 {
			if slices.Equal(one.Subscriptions(c), two.Subscriptions(c)) {
				same++
			}
		}
		if same > 5 {
			t.Errorf("%s: %d of 100 clients have the same topics under two seeds", spread, same)
		}
	}
}

// TestSubscribersPerTopic draws many clients and compares the topics' shares with their distribution by
// Pearson's χ² with 9 degrees of freedom. One in a thousand seeds exceeds 27.9, and the seeds here are
// fixed.
func TestSubscribersPerTopic(t *testing.T) {
	const topics, clients = 10, 100_000
	for _, c := range []struct {
		spread Spread
		skew   float64
	}{{Random, 0}, {Zipf, 0}, {Zipf, 0.5}, {Zipf, 1}, {Zipf, 1 + 1e-12}, {Zipf, 2}, {Zipf, 3}} {
		for seed := range uint64(3) {
			t.Run(fmt.Sprintf("%s %g %d", c.spread, c.skew, seed), func(t *testing.T) {
				s := &Scenario{Topics: Topics{Count: topics, PerClient: 1, Spread: c.spread, Skew: c.skew}, Seed: seed}
				var got, want [topics]float64
				total := 0.0
				for i := range want {
					want[i] = math.Pow(float64(i+1), -c.skew)
					total += want[i]
				}
				for client := range clients {
					got[s.Subscriptions(client)[0]]++
				}
				x2 := 0.0
				for i := range want {
					expected := want[i] / total * clients
					x2 += (got[i] - expected) * (got[i] - expected) / expected
				}
				if x2 > 27.9 {
					t.Errorf("χ² = %.1f with 9 degrees of freedom, want at most 27.9: %v", x2, got)
				}
			})
		}
	}
}

// TestPairsAreUniform checks that each of the 10 pairs of 5 topics is drawn equally often.
func TestPairsAreUniform(t *testing.T) {
	const clients = 100_000
	s := &Scenario{Topics: Topics{Count: 5, PerClient: 2, Spread: Random}, Seed: 7}
	pairs := map[[2]int]float64{}
	for c := range clients {
		pairs[[2]int(s.Subscriptions(c))]++
	}
	x2 := 0.0
	for _, n := range pairs {
		x2 += (n - clients/10) * (n - clients/10) / (clients / 10)
	}
	if len(pairs) != 10 || x2 > 27.9 {
		t.Errorf("χ² = %.1f with 9 degrees of freedom, want at most 27.9: %v", x2, pairs)
	}
}

func TestZipfTerminatesForNearlyAllTopics(t *testing.T) {
	s := &Scenario{Topics: Topics{Count: maxPerClient, PerClient: maxPerClient - 1, Spread: Zipf, Skew: maxSkew}, Seed: 1}
	got := s.Subscriptions(0)
	if len(got) != maxPerClient-1 || got[len(got)-1] != maxPerClient-2 {
		t.Errorf("got %v, want all but the least popular", got)
	}
}

func TestZipfStaysInRange(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, maxTopics).Draw(t, "topics")
		z := newZipf(rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0)), n, rapid.Float64Range(0, maxSkew).Draw(t, "skew"))
		for range 20 {
			if k := z.next(); k < 0 || k >= n {
				t.Fatalf("drew %d of %d", k, n)
			}
		}
	})
}

func TestTopicName(t *testing.T) {
	valid := regexp.MustCompile(`^[A-Za-z0-9._~-]{1,128}$`) // PROTOCOL.md
	for _, c := range []struct {
		count, i int
		want     string
	}{
		{1, 0, "t0000"}, {50, 7, "t0007"}, {10_000, 9999, "t9999"}, {10_001, 7, "t00007"}, {1_000_000, 999_999, "t999999"},
	} {
		s := &Scenario{Topics: Topics{Count: c.count}}
		if got := s.TopicName(c.i); got != c.want || !valid.MatchString(got) {
			t.Errorf("topic %d of %d: got %s, want %s", c.i, c.count, got, c.want)
		}
	}
}

package scenarios

import (
	"math"
	"testing"

	"pgregory.net/rapid"
	"pushbench/scenarios/transports"
)

func TestMeanPayload(t *testing.T) {
	for _, c := range []struct {
		payload Payload
		want    float64 // bytes
		largest int
	}{
		{Payload{Size: 128}, 128, 128},
		{Payload{Sizes: []SizeWeight{{100, 1}}}, 100, 100},
		{Payload{Sizes: []SizeWeight{{100, 3}, {1000, 1}}}, 325, 1000},
	} {
		if got := (&Scenario{Payload: c.payload}).LargestPayload(); got != c.largest {
			t.Errorf("%v: got at most %d bytes, want %d", c.payload, got, c.largest)
		}
		if got := (&Scenario{Payload: c.payload}).MeanPayload(); got != c.want {
			t.Errorf("%v: got %g bytes, want %g", c.payload, got, c.want)
		}
	}
}

func TestDeliveryRate(t *testing.T) {
	for _, c := range []struct {
		name      string
		by        Publisher
		clients   int
		topics    Topics
		want      float64 // deliveries per second at 10 messages per second
		tolerance float64 // relative
	}{
		{"one room", ByClients, 20, Topics{1, 1, Even, 1}, 200, 0},
		{"rooms", ByClients, 1000, Topics{50, 1, Even, 1}, 200, 0},
		{"uneven rooms", ByClients, 3, Topics{2, 1, Even, 1}, 10 * 5. / 3, 1e-12},
		{"more topics than clients", ByClients, 3, Topics{10, 1, Even, 1}, 10, 0},
		{"every topic", ByClients, 7, Topics{5, 5, Random, 1}, 70, 1e-12},
		{"one client", ByClients, 1, Topics{5, 2, Random, 1}, 10, 0},
		{"backend to all", ByBackend, 10000, Topics{1, 1, Even, 1}, 100000, 0},
		{"backend in turn", ByBackend, 10, Topics{5, 2, Zipf, 1}, 40, 0},
		{"backend to topics without subscribers", ByBackend, 1, Topics{10, 1, Even, 1}, 1, 0},
		// 1 + (clients − 1) × the probability that another client is in the author's room.
		{"random, sampled", ByClients, 1_000_000, Topics{1000, 1, Random, 1}, 10 * (1 + 999_999/1000.), 0.02},
		{"random, several", ByClients, 1_000_000, Topics{1000, 10, Random, 1}, 10 * (1 + 999_999/100.), 0.02},
		// Two topics, one twice as popular as the other: the probability is 4/9 + 1/9.
		{"zipf, sampled", ByClients, 1_000_000, Topics{2, 1, Zipf, 1}, 10 * (1 + 999_999*5/9.), 0.02},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := &Scenario{Clients: Clients{Count: c.clients}, Topics: c.topics, Publish: Publish{By: c.by, Rate: 10}, Seed: 1}
			got := s.DeliveryRate()
			if math.Abs(got-c.want) > c.tolerance*c.want {
				t.Errorf("got %g deliveries per second, want %g", got, c.want)
			}
			if each := s.PerClientRate(); each != got/float64(c.clients) {
				t.Errorf("got %g messages per second per client, want %g", each, got/float64(c.clients))
			}
		})
	}
}

// TestDeliveryRateCountsPairs compares the formulas with counting. Each client publishes once to each of
// its topics. Each message of a backend or of a publish-only client has one topic.
func TestDeliveryRateCountsPairs(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := valid.Draw(t, "scenario")
		s.Publish.Rate = 1
		subscribers := make([]float64, s.Topics.Count)
		for c := range s.Clients.Count {
			for _, topic := range s.Subscriptions(c) {
				subscribers[topic]++
			}
		}
		once, squares := 0.0, 0.0
		for _, n := range subscribers {
			once, squares = once+n, squares+n*n
		}
		want := squares / once
		if s.Publish.By != ByClients {
			want = once / float64(s.Topics.Count)
		}
		if got := s.DeliveryRate(); math.Abs(got-want) > 1e-9*want {
			t.Fatalf("got %g deliveries per message, counted %g", got, want)
		}
	})
}

func TestBatchingDelay(t *testing.T) {
	s := &Scenario{LongPoll: LongPollSettings{BatchingDelay: 1}, SSE: PushSettings{BatchingDelay: 2}, WebSocket: PushSettings{BatchingDelay: 3}}
	for transport, want := range map[Transport]Duration{transports.ShortPoll: 0, transports.LongPoll: 1, transports.SSE: 2, transports.WebSocket: 3} {
		if got := s.BatchingDelay(transport); got != want {
			t.Errorf("%s: got %v, want %v", transport, got, want)
		}
	}
}

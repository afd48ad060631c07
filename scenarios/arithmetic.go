package scenarios

import "slices"

// MeanPayload returns the average payload of a message in bytes.
func (s *Scenario) MeanPayload() float64 {
	if len(s.Payload.Sizes) == 0 {
		return float64(s.Payload.Size)
	}
	bytes, weights := 0.0, 0.0
	for _, sw := range s.Payload.Sizes {
		bytes += float64(sw.Size) * sw.Weight
		weights += sw.Weight
	}
	return bytes / weights
}

// LargestPayload returns the largest payload of a message of any configuration, in bytes.
func (s *Scenario) LargestPayload() int {
	largest := slices.Max(sweptOr(s.Sweep.Payload, s.Payload.Size))
	for _, sw := range s.Payload.Sizes {
		largest = max(largest, sw.Size)
	}
	return int(largest)
}

// PublishOnly returns the number of publish-only clients.
func (s *Scenario) PublishOnly() int {
	if s.Publish.By == ByPublishOnly {
		return s.Topics.Count
	}
	return 0
}

// Sessions returns the number of clients, publish-only clients included.
func (s *Scenario) Sessions() int { return s.Clients.Count + s.PublishOnly() }

// ClientsPublish reports whether clients send messages over the measured transport.
func (s *Scenario) ClientsPublish() bool { return s.Publish.By != ByBackend || s.Upstream.Rate > 0 }

// DeliveryRate returns the expected (message, subscriber) pairs per second, the author's own copy
// included. With delivery: latest, some of them are superseded.
//
// A backend posts to the topics in turn, and each publish-only client has its own. A message of the
// clients has a random author and one of its topics: popular topics then have more readers and also
// more messages.
func (s *Scenario) DeliveryRate() float64 {
	return float64(s.Publish.Rate) * s.deliveriesPerMessage()
}

// PerClientRate returns the mean number of messages per second that one client expects: λ in the
// formulas of polling.
func (s *Scenario) PerClientRate() float64 {
	return s.DeliveryRate() / float64(s.Clients.Count)
}

// BatchingDelay returns the batching delay of a transport: how long a server may delay messages to
// send several in one write. Short polling has none.
func (s *Scenario) BatchingDelay(t Transport) Duration {
	if own := batchingDelayOf(s, t); own != nil {
		return *own
	}
	return 0
}

// SetBatchingDelay sets the batching delay of every transport that has one.
func (s *Scenario) SetBatchingDelay(delay Duration) {
	for _, t := range AllTransports {
		if own := batchingDelayOf(s, t); own != nil {
			*own = delay
		}
	}
}

func (s *Scenario) deliveriesPerMessage() float64 {
	subscriptions := float64(s.Clients.Count) * float64(s.Topics.PerClient)
	switch {
	case s.Publish.By != ByClients:
		return subscriptions / float64(s.Topics.Count)
	case s.Topics.Spread == Even:
		return s.evenAudience()
	}
	return s.drawnAudience()
}

// evenAudience returns the mean audience of a client's message if topics are assigned in turn: some
// topics then have one subscriber more than the others. A topic with n subscribers gets messages
// with n times the probability, and each has n readers: Σn²/Σn.
func (s *Scenario) evenAudience() float64 {
	subscriptions := s.Clients.Count * s.Topics.PerClient
	fewer := float64(subscriptions / s.Topics.Count)
	fuller := float64(subscriptions % s.Topics.Count)
	emptier := float64(s.Topics.Count) - fuller
	return (fuller*(fewer+1)*(fewer+1) + emptier*fewer*fewer) / float64(subscriptions)
}

// sampled is the number of subscriptions that determine the audience of drawn topics within about
// one percent. With fewer subscriptions the result is exact.
const sampled = 100_000

// drawnAudience returns the mean audience if topics are drawn. The probability that two clients
// share a topic, Σn(n−1)/k(k−1) over the first k clients, is estimated from a sample. An author
// reaches itself and the other subscribers of its topic.
func (s *Scenario) drawnAudience() float64 {
	clients := min(s.Clients.Count, max(2, sampled/s.Topics.PerClient))
	if clients == 1 {
		return 1
	}
	subscribers := map[int]float64{}
	for c := range clients {
		for _, topic := range s.Subscriptions(c) {
			subscribers[topic]++
		}
	}
	pairs := 0.0
	for _, n := range subscribers {
		pairs += n * (n - 1)
	}
	shared := pairs / (float64(clients) * float64(clients-1)) // topics that two clients have in common
	return 1 + float64(s.Clients.Count-1)*shared/float64(s.Topics.PerClient)
}

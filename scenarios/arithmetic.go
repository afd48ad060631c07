package scenarios

// MeanPayload is the average payload of a message in bytes.
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

// Reporters is how many clients there are that only publish.
func (s *Scenario) PublishOnly() int {
	if s.Publish.By == ByPublishOnly {
		return s.Topics.Count
	}
	return 0
}

// Sessions is how many clients there are, reporters included.
func (s *Scenario) Sessions() int { return s.Clients.Count + s.PublishOnly() }

// ClientsPublish says whether anything goes up on the transport that is measured.
func (s *Scenario) ClientsPublish() bool { return s.Publish.By != ByBackend || s.Upstream.Rate > 0 }

// DeliveryRate is how many (message, subscriber) pairs are owed a second, the
// author's own copy included. Under delivery: latest some of them are superseded.
//
// A backend posts to the topics in turn, and reporters have one each. A message of the clients comes from
// any client with equal chance and goes to any of its topics: busy topics are
// then written to more as well as read by more.
func (s *Scenario) DeliveryRate() float64 {
	return float64(s.Publish.Rate) * s.deliveriesPerMessage()
}

// PerClientRate is how many messages a second one client is owed on average: λ
// in the closed forms of polling.
func (s *Scenario) PerClientRate() float64 {
	return s.DeliveryRate() / float64(s.Clients.Count)
}

// Flush is the flush window of a transport: how long a server may hold messages
// back to send several in one write. A short poll is answered at once.
func (s *Scenario) BatchingDelay(t Transport) Duration {
	if own := flushOf(s, t); own != nil {
		return *own
	}
	return 0
}

// SetFlush sets the flush window of every transport that has one.
func (s *Scenario) SetBatchingDelay(window Duration) {
	for _, t := range AllTransports {
		if own := flushOf(s, t); own != nil {
			*own = window
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

// evenAudience is the audience of a message by a client where topics are dealt
// in turn: some topics have one subscriber more than the others. A topic with n
// subscribers is n times as likely to be written to, and n read it: Σn²/Σn.
func (s *Scenario) evenAudience() float64 {
	subscriptions := s.Clients.Count * s.Topics.PerClient
	fewer := float64(subscriptions / s.Topics.Count)
	fuller := float64(subscriptions % s.Topics.Count)
	emptier := float64(s.Topics.Count) - fuller
	return (fuller*(fewer+1)*(fewer+1) + emptier*fewer*fewer) / float64(subscriptions)
}

// sampled is how many subscriptions are enough to know the audience of drawn
// topics within a percent or so; below it the answer is exact.
const sampled = 100_000

// drawnAudience is the same where topics are drawn. The chance that two clients
// share a topic, Σn(n−1)/k(k−1) over the first k clients, needs no more than a
// sample; an author then reaches itself and, of each of its topics, the rest.
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

package wire

import (
	"pushbench/servers/hub"
	"pushbench/servers/wire/httpstack"
)

// NewPolls makes the cache of a polling edge.
func (s *Service) NewPolls() *Cache[*httpstack.Poll] {
	return NewCache(s.Hub, func(body []byte, _ hub.Cursor) *httpstack.Poll { return &httpstack.Poll{Body: body} })
}

// Poll returns the response to a poll with the available messages. If there are none, found is false
// and the response is 204; sub.After may then have advanced.
func (s *Service) Poll(polls *Cache[*httpstack.Poll], sub *Subscribe) (r httpstack.Response, found bool) {
	if sub.FromNow {
		return s.Batch(s.Ack(sub)), true
	}
	b, err := polls.Next(&sub.After, sub.Set, sub.Delivery)
	switch {
	case err != nil:
		return s.Refuse(err), true
	case b == nil:
		return s.NoContent(), false
	}
	s.Count.Sent(b.Messages, b.Gaps)
	return s.Batch(b.Frame.Body), true
}

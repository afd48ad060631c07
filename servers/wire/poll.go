package wire

import (
	"pushbench/servers/hub"
	"pushbench/servers/wire/httpstack"
)

// An Answer is a batch framed as the answer to a poll.
type Response struct {
	Whole []byte // head and body, for a connection that stays open
	Body  []byte
}

// NewPolls makes the cache that a polling edge answers from.
func (s *Service) NewPolls() *Cache[Response] {
	return NewCache(s.Hub, func(body []byte, _ hub.Cursor) Response {
		whole := s.HTTP.AppendResponse(make([]byte, 0, len(body)+96), httpstack.Response{Status: 200, Body: body, NoStore: true})
		return Response{Whole: whole, Body: whole[len(whole)-len(body):]}
	})
}

// Poll answers a poll from what is there. If there is nothing, found is false
// and the answer is 204; sub.After may then have moved on.
func (s *Service) Poll(polls *Cache[Response], sub *Subscribe) (r httpstack.Response, found bool) {
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

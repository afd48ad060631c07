package wire

import (
	"strconv"

	"pushbench/servers/hub"
)

// encode writes a read as the batch of PROTOCOL.md.
func encode(r *hub.Read) []byte {
	size := 64
	for _, m := range r.Messages {
		size += len(m.Object) + 1
	}
	dst := make([]byte, 0, size+len(r.Gaps)*(hub.MaxTopicName/2))
	dst = appendCursor(dst, r.Next)
	dst = append(dst, `,"messages":[`...)
	for i, m := range r.Messages {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(dst, m.Object...)
	}
	dst = append(dst, ']')
	if len(r.Gaps) > 0 {
		dst = appendGaps(dst, r.Gaps)
	}
	return append(dst, '}')
}

func appendCursor(dst []byte, c hub.Cursor) []byte {
	dst = append(dst, `{"cursor":"`...)
	dst = c.AppendTo(dst)
	return append(dst, '"')
}

func appendGaps(dst []byte, gaps []hub.Gap) []byte {
	dst = append(dst, `,"gap":[`...)
	for i, g := range gaps {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(dst, `{"topic":"`...)
		dst = append(dst, g.Topic...)
		dst = append(dst, `","from":`...)
		dst = strconv.AppendUint(dst, g.From, 10)
		dst = append(dst, `,"to":`...)
		if g.NewEpoch {
			dst = append(dst, `null}`...)
			continue
		}
		dst = append(strconv.AppendUint(dst, g.To, 10), '}')
	}
	return append(dst, ']')
}

// Ack returns the first response to a subscription from now, which then continues from sub.After:
// no message, the current cursor, and the last seq of every topic.
func (s *Service) Ack(sub *Subscribe) (body []byte) {
	s.Count.Acks.Add(1)
	next, seqs := s.Hub.Start(sub.Set)
	sub.After = next
	body = appendCursor(make([]byte, 0, 96), next)
	body = append(body, `,"messages":[],"heads":{`...)
	for i, seq := range seqs {
		if i > 0 {
			body = append(body, ',')
		}
		body = append(body, '"')
		body = append(body, sub.Set.Name(i)...)
		body = append(body, `":`...)
		body = strconv.AppendUint(body, seq, 10)
	}
	return append(body, "}}"...)
}

// Resume returns the first response to a webhook subscription, which does not contain missed
// messages: Ack, or the given cursor.
func (s *Service) Resume(sub *Subscribe) (body []byte) {
	if sub.FromNow {
		return s.Ack(sub)
	}
	return append(appendCursor(make([]byte, 0, 96), sub.After), `,"messages":[]}`...)
}

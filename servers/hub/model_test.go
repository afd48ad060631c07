package hub

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// A model is a simple hub without memory limits: it keeps all messages, and knows how many of each
// topic a ring would retain.
type model struct {
	ring     int
	messages []modelMessage
	last     map[string]uint64
}

type modelMessage struct {
	topic  string
	seq    uint64
	number uint64
}

func (m *model) publish(topic string) {
	m.last[topic]++
	m.messages = append(m.messages, modelMessage{topic, m.last[topic], uint64(len(m.messages)) + 1})
}

// since returns what a subscription must receive: objects, and gaps in the order of topics.
func (m *model) since(after uint64, topics []string, d Delivery) (objects []string, gaps []Gap) {
	missed := map[string]*Gap{}
	for _, msg := range m.messages {
		if msg.number <= after || !contains(topics, msg.topic) {
			continue
		}
		switch last := m.last[msg.topic]; {
		case d == Latest && msg.seq != last: // superseded
		case msg.seq+uint64(m.ring) <= last:
			if missed[msg.topic] == nil {
				missed[msg.topic] = &Gap{Topic: msg.topic, From: msg.seq}
			}
			missed[msg.topic].To = msg.seq
		default:
			objects = append(objects, fmt.Sprintf(`{"topic":"%s","seq":%d,"data":"%d"}`, msg.topic, msg.seq, msg.number))
		}
	}
	for _, t := range topics {
		if g := missed[t]; g != nil {
			gaps = append(gaps, *g)
		}
	}
	return objects, gaps
}

func contains(all []string, one string) bool {
	for _, s := range all {
		if s == one {
			return true
		}
	}
	return false
}

func TestHubMatchesModel(t *testing.T) {
	topics := []string{"a", "b", "c"}
	subsets := [][]string{{"a"}, {"a", "b"}, {"a", "b", "c"}, {"b", "c"}}
	rapid.Check(t, func(rt *rapid.T) {
		ring := rapid.IntRange(1, 6).Draw(rt, "ring")
		h := New(Options{RingMessages: ring, Shards: 1})
		defer h.Close()
		m := &model{ring: ring, last: map[string]uint64{}}
		cursors := []Cursor{{Epoch: h.Epoch()}}
		rt.Repeat(map[string]func(*rapid.T){
			"publish": func(rt *rapid.T) {
				if len(m.messages) >= ring*indexFactor { // gaps are exact only up to here
					return
				}
				topic := rapid.SampledFrom(topics).Draw(rt, "topic")
				m.publish(topic)
				mustPublish(t, h, topic, fmt.Sprint(len(m.messages)))
			},
			"read": func(rt *rapid.T) {
				names := rapid.SampledFrom(subsets).Draw(rt, "names")
				after := rapid.SampledFrom(cursors).Draw(rt, "after")
				d := rapid.SampledFrom([]Delivery{Every, Latest}).Draw(rt, "delivery")
				r := since(t, h, after, mustSet(t, h, names...), d)
				wantObjects, wantGaps := m.since(after.Number, names, d)
				var objects []string
				for _, msg := range r.Messages {
					objects = append(objects, string(msg.Object))
				}
				if diff := cmp.Diff(wantObjects, objects); diff != "" {
					rt.Fatalf("messages of %v after %d: %s", names, after.Number, diff)
				}
				if diff := cmp.Diff(wantGaps, r.Gaps); diff != "" {
					rt.Fatalf("gaps of %v after %d: %s", names, after.Number, diff)
				}
				cursors = append(cursors, r.Next)
			},
		})
	})
}

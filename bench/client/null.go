package client

import (
	"slices"
	"sync"

	"pushbench/bench/clock"
)

// Null returns a no-op transport without network and server: it delivers a publication to
// the topic's subscribers in this process, with one goroutine per worker. The load
// generator's rate on it is its maximum: a trial without sockets and protocols. All
// sessions must be open before the first publication.
func Null(workers int) Engine {
	n := &null{topics: map[string]*nullTopic{}}
	for range workers {
		messages := make(chan nullMessage, nullQueueSize)
		n.workers = append(n.workers, messages)
		n.delivering.Go(func() { deliver(messages) })
	}
	return n
}

// nullQueueSize is how many messages may wait for a worker before publishers block.
const nullQueueSize = 1024

type null struct {
	workers    []chan nullMessage
	topics     map[string]*nullTopic // filled by Open, then only read
	pacing     sync.WaitGroup
	delivering sync.WaitGroup
	closing    sync.Once
}

// A nullTopic numbers its messages and lists its subscribers by worker.
type nullTopic struct {
	subscribers [][]nullSubscriber

	mu  sync.Mutex // guards what follows; locked until all workers have a message, so that all see the same order
	seq uint64
}

type nullSubscriber struct {
	client int
	sink   Sink
}

type nullMessage struct {
	batch       *Batch
	subscribers []nullSubscriber
}

// deliver delivers messages until the engine is closed.
func deliver(messages <-chan nullMessage) {
	for m := range messages {
		for _, f := range m.subscribers {
			f.sink.Deliver(f.client, m.batch, clock.Now())
		}
	}
}

func (n *null) Workers() int { return len(n.workers) }

func (n *null) Open(sub Subscription, sink Sink) Session {
	for _, name := range sub.Topics {
		t := n.topics[name]
		if t == nil {
			t = &nullTopic{subscribers: make([][]nullSubscriber, len(n.workers))}
			n.topics[name] = t
		}
		t.subscribers[sub.Worker] = append(t.subscribers[sub.Worker], nullSubscriber{sub.Client, sink})
	}
	sink.Event(sub.Client, Event{Kind: Connected}, clock.Now())
	return &nullSession{null: n, client: sub.Client, sink: sink}
}

// Pace publishes the feed in a goroutine.
func (n *null) Pace(_ int, feed Feed) { PaceByGoroutine(&n.pacing, feed) }

func (n *null) Close() {
	n.closing.Do(func() {
		n.pacing.Wait()
		for _, w := range n.workers {
			close(w)
		}
		n.delivering.Wait()
	})
}

type nullSession struct {
	null   *null
	client int
	sink   Sink
}

func (s *nullSession) Publish(id uint32, topic string, payload []byte) {
	s.sink.Event(s.client, Event{Kind: Sending, ID: id}, clock.Now())
	seq := s.null.publish(topic, payload)
	s.sink.Event(s.client, Event{Kind: Acked, ID: id, Seq: seq}, clock.Now())
}

func (s *nullSession) Close() {}

// publish sends a copy of a payload to every worker that has subscribers to its topic.
func (n *null) publish(topic string, payload []byte) uint64 {
	t := n.topics[topic]
	if t == nil {
		return 1 // it has no subscribers
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.seq++
	batch := &Batch{Messages: []Message{{Topic: []byte(topic), Seq: t.seq, Data: slices.Clone(payload)}}}
	for w, followers := range t.subscribers {
		if len(followers) > 0 {
			n.workers[w] <- nullMessage{batch, followers}
		}
	}
	return t.seq
}

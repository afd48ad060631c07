package faults

import (
	"slices"
	"strings"
	"sync"
	"time"

	"pushbench/servers/hub"
)

// An Injector publishes to a hub, with faults. Its methods may be called concurrently.
type Injector struct {
	faults    Faults
	hub       *hub.Hub
	working   chan struct{} // has one element while a publication does its Work
	releasing sync.Mutex    // held while a delayed message is published, so that messages keep their order

	mu        sync.Mutex // guards what follows; taken under the hub's lock, never the other way round
	published int
	counts    Counts
	swapped   map[string][]byte // by topic: the encoded message to deliver after the next one
	accepted  map[string]uint64 // by topic: the last acknowledged seq, with a Delay
	delayed   []delayed         // oldest first
	delays    []time.Duration   // actual delays of the first maxDelays delayed messages
}

// A delayed message is acknowledged but not published to the hub.
type delayed struct {
	topic    string
	data     []byte
	accepted time.Time
	place    *hub.Subscription // keeps the topic in the hub
}

// maxDelays bounds the number of recorded delays: a self-test delays fewer messages.
const maxDelays = 1 << 17

// New makes an injector. Close discards delayed messages.
func New(h *hub.Hub, f Faults) *Injector {
	return &Injector{faults: f, hub: h, working: make(chan struct{}, 1), swapped: map[string][]byte{}, accepted: map[string]uint64{}}
}

// Close discards delayed messages.
func (in *Injector) Close() {
	in.releasing.Lock()
	defer in.releasing.Unlock()
	in.mu.Lock()
	defer in.mu.Unlock()
	in.delayed = nil
}

// Publish is hub.Publish with faults. With Work it sleeps.
func (in *Injector) Publish(topic string, data []byte) (seq uint64, err error) {
	if in.faults.Work > 0 {
		in.working <- struct{}{}
		time.Sleep(in.faults.Work)
		<-in.working
	}
	if in.faults.Delay > 0 {
		return in.delay(strings.Clone(topic), slices.Clone(data))
	}
	return in.append(topic, data)
}

// delay accepts a message that readers see later. Timers of equal duration fire in the order in
// which they were set, and each publishes the oldest message.
func (in *Injector) delay(topic string, data []byte) (seq uint64, err error) {
	set, err := in.hub.Set([]string{topic})
	if err != nil { // an error is reported now
		return 0, err
	}
	place := in.hub.Subscribe(set, nil) // never armed
	in.mu.Lock()
	defer in.mu.Unlock()
	in.accepted[topic]++
	in.delayed = append(in.delayed, delayed{topic, data, time.Now(), place})
	time.AfterFunc(in.faults.Delay, in.release)
	return in.accepted[topic], nil
}

// release publishes the oldest delayed message. Its actual delay is recorded, because
// a timer is never exact and a self-test must know the truth.
func (in *Injector) release() {
	in.releasing.Lock()
	defer in.releasing.Unlock()
	m, ok := in.oldest()
	if ok {
		_, _ = in.append(m.topic, m.data) // fails only if the hub has become full
		m.place.Close()
	}
}

// oldest removes the oldest delayed message; there is none after Close.
func (in *Injector) oldest() (m delayed, ok bool) {
	in.mu.Lock()
	defer in.mu.Unlock()
	if len(in.delayed) == 0 {
		return m, false
	}
	m, in.delayed = in.delayed[0], in.delayed[1:]
	if len(in.delays) < maxDelays {
		in.delays = append(in.delays, time.Since(m.accepted))
	}
	return m, true
}

func (in *Injector) append(topic string, data []byte) (seq uint64, err error) {
	return in.hub.Append(topic, func(seq uint64) []byte { return in.encode(topic, seq, data) })
}

// encode encodes a message, followed by the one that was swapped with it.
func (in *Injector) encode(topic string, seq uint64, data []byte) []byte {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.published++
	object := in.distort(topic, seq, data)
	swapped := in.swapped[topic]
	if object == nil || swapped == nil {
		return object
	}
	delete(in.swapped, topic)
	return append(append(object, ','), swapped...)
}

func (in *Injector) distort(topic string, seq uint64, data []byte) []byte {
	object := hub.Encode(topic, seq, data)
	switch f := in.faults; {
	case in.applies(f.Drop, &in.counts.Drop):
		return nil
	case in.applies(f.Double, &in.counts.Double):
		return append(append(slices.Clone(object), ','), object...)
	case in.swapped[topic] == nil && in.applies(f.Swap, &in.counts.Swap):
		in.swapped[strings.Clone(topic)] = object
		return nil
	case in.applies(f.Corrupt, &in.counts.Corrupt):
		return hub.Encode(topic, seq, corrupt(data))
	}
	return object
}

func (in *Injector) applies(every int, count *uint64) bool {
	if every <= 0 || in.published%every != 0 {
		return false
	}
	*count++
	return true
}

// corrupt changes one ASCII byte near the middle, so that the text stays UTF-8.
func corrupt(data []byte) []byte {
	data = slices.Clone(data)
	middle := len(data) / 2
	i := slices.IndexFunc(data[middle:], func(b byte) bool { return b < 0x80 })
	switch {
	case i < 0:
	case data[middle+i] == 'x':
		data[middle+i] = 'y'
	default:
		data[middle+i] = 'x'
	}
	return data
}

// Counts returns the number of injected faults so far.
func (in *Injector) Counts() Counts {
	in.mu.Lock()
	defer in.mu.Unlock()
	c := in.counts
	if c.Delayed = uint64(len(in.delays)); c.Delayed > 0 {
		c.DelayP50 = slices.Sorted(slices.Values(in.delays))[len(in.delays)/2]
	}
	return c
}

//go:build nightly

package timed

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"
	"time"

	"pushbench/bench/client"
	"pushbench/bench/client/clienttest"
	monotonic "pushbench/bench/clock"
	"pushbench/bench/model"
	"pushbench/cmd/internal/inprocess"
	"pushbench/scenarios"
	"pushbench/scenarios/transports"
	"pushbench/servers/wire"
)

// Over a link each transport must match its closed form: WebSocket and
// SSE take one one-way delay; a long poll takes this and, with rising load, up to one round trip more.
func TestPhysicsOverADistance(t *testing.T) {
	for _, c := range []struct {
		transport scenarios.Transport
		rate      float64 // messages per second to each client
	}{{transports.LongPoll, 8}, {transports.LongPoll, 40}, {transports.SSE, 8}, {transports.WebSocket, 8}} {
		t.Run(fmt.Sprintf("%s at %v per second", c.transport, c.rate), func(t *testing.T) {
			inprocess.OnEachEngine(t, func(t *testing.T, newEngine func(client.Config) client.Engine) {
				o := observe(t, newEngine, c.transport, c.rate, 3, 40*time.Millisecond)
				o.checkLatency()
				o.checkBatches()
			})
		})
	}
}

// oneWay is half the round trip, in seconds.
const oneWay = 0.020

// An observation has the results of some clients with one topic each and a backend that publishes to
// all of them as a Poisson process.
type observation struct {
	*testing.T
	transport scenarios.Transport
	rate      float64
	repollGap float64   // R, s: mean, as the server counted it
	late      float64   // s: the 99th percentile of how late messages were written
	latencies []float64 // s, from the write of each message by the backend; sorted
	messages  []string  // every delivery, sorted
	batches   int
}

func (o *observation) median() float64 { return o.latencies[len(o.latencies)/2] }

// observe publishes for length seconds, over a link.
func observe(t *testing.T, newEngine func(client.Config) client.Engine, transport scenarios.Transport, rate, length float64, rtt time.Duration) *observation {
	const clients = 10
	server := inprocess.Start(t, inprocess.Server{Transport: string(transport), Library: wire.Reference})
	observer := clienttest.NewObserver()
	engine := newEngine(client.Config{Target: server.Addr, Transport: transport, Traffic: new(client.Traffic), PollTimeout: 25 * time.Second, Link: client.Link{RTT: rtt}})
	open := func(sub client.Subscription) client.Session {
		sub.Worker = max(0, sub.Client) % engine.Workers()
		session := engine.Open(sub, observer)
		t.Cleanup(session.Close)
		return session
	}
	for c := range clients {
		open(client.Subscription{Client: c, Topics: []string{strconv.Itoa(c)}, Delivery: "every"})
	}
	backend := open(client.Subscription{Client: -1, Publishes: true})
	observer.Await(t, "all connected", func(calls []clienttest.Call) bool {
		return connected(calls) == clients+1
	})
	f := newPoisson(backend, rate, clients, length)
	engine.Pace(0, f)
	observer.Await(t, "every message", func(calls []clienttest.Call) bool { return delivered(calls) == f.all })
	gaps := server.Service.Stats().RepollGaps
	mean := time.Duration(gaps.SumNs / max(1, gaps.Count))
	o := &observation{T: t, transport: transport, rate: rate, repollGap: mean.Seconds()}
	o.gather(observer.All(), f)
	return o
}

func connected(calls []clienttest.Call) (n int) {
	for _, one := range calls {
		if one.Batch == nil && one.Event.Kind == client.Connected {
			n++
		}
	}
	return n
}

func delivered(calls []clienttest.Call) (n int) {
	for _, one := range calls {
		if one.Batch != nil {
			n += len(one.Batch.Messages)
		}
	}
	return n
}

// gather computes latencies from when each message was written and when it arrived.
func (o *observation) gather(calls []clienttest.Call, f *poisson) {
	sent := map[string]monotonic.Instant{}
	var late []float64
	for _, one := range calls {
		switch {
		case one.Batch == nil && one.Event.Kind == client.Sending:
			sent[strconv.Itoa(int(one.Event.ID))] = one.At
			late = append(late, one.At.Sub(f.begin.Add(f.due[one.Event.ID])).Seconds())
		case one.Batch != nil && len(one.Batch.Messages) > 0:
			o.batches++
		}
	}
	for _, one := range calls {
		if one.Batch == nil {
			continue
		}
		for _, m := range one.Batch.Messages {
			o.latencies = append(o.latencies, one.At.Sub(sent[string(m.Data)]).Seconds())
			o.messages = append(o.messages, string(m.Topic)+" "+string(m.Data))
		}
	}
	slices.Sort(o.latencies)
	slices.Sort(o.messages)
	slices.Sort(late)
	o.late = late[len(late)*99/100]
}

// checkLatency compares the median with the closed form. The tolerance is 2 ms for timers and the
// sampling error of the number of batches (Kolmogorov-Smirnov at 5 %).
// The lower bound applies on any machine, the upper one on a quiet machine.
func (o *observation) checkLatency() {
	o.Helper()
	want, tolerance := oneWay, 0.002
	if o.transport == transports.LongPoll {
		want = model.LongPollQuantile(oneWay, o.rate, 2*oneWay, 0.5)
		tolerance += 1.36 / math.Sqrt(float64(o.batches)) * 2 * oneWay / (1 - model.LongPollDirect(o.rate, 2*oneWay))
	}
	got := o.median()
	if got < want-tolerance || o.calm() && got > want+tolerance {
		o.Errorf("p50 is %.4f s, want %.4f ± %.4f (R %.4f s, λ %v)", got, want, tolerance, o.repollGap, o.rate)
	}
	if fastest := o.latencies[0]; fastest < oneWay {
		o.Errorf("a message arrived after %.4f s, with a one-way delay of %v s", fastest, oneWay)
	}
}

// calm reports whether publications were sent and polls returned on schedule.
func (o *observation) calm() bool {
	const slack = 0.001 // s
	return o.late < slack && o.repollGap < 2*oneWay+slack
}

// checkBatches checks that a long poll's response has the messages of its re-poll gap.
// A batch's size has a variance of about λR. The tolerance is four standard errors
// and 3 % for the difference between the actual and the planned rate.
func (o *observation) checkBatches() {
	o.Helper()
	if o.transport != transports.LongPoll {
		return
	}
	if o.repollGap < 2*oneWay {
		o.Errorf("the next poll arrived after %.4f s, with one-way delays of %v s", o.repollGap, oneWay)
	}
	got, want := float64(len(o.latencies))/float64(o.batches), model.LongPollBatch(o.rate, o.repollGap)
	if tolerance := 0.03*want + 4*math.Sqrt(o.rate*o.repollGap/float64(o.batches)); math.Abs(got-want) > tolerance {
		o.Errorf("%.3f messages per batch, want %.3f ± %.3f (R %.4f s, λ %v)", got, want, tolerance, o.repollGap, o.rate)
	}
}

// A poisson is a client.Feed that publishes to every topic at a rate. A message contains its number.
type poisson struct {
	backend client.Session
	begin   monotonic.Instant
	due     []time.Duration
	topics  []string
	all     int
	next    int
}

func newPoisson(backend client.Session, rate float64, topics int, length float64) *poisson {
	random := rand.New(rand.NewPCG(1, uint64(rate)))
	p := &poisson{backend: backend, begin: monotonic.Now().Add(50 * time.Millisecond)}
	for at := 0.0; at < length; at += random.ExpFloat64() / (rate * float64(topics)) {
		p.due = append(p.due, time.Duration(at*1e9))
		p.topics = append(p.topics, strconv.Itoa(random.IntN(topics)))
	}
	p.all = len(p.due)
	return p
}

func (p *poisson) Next() (monotonic.Instant, bool) {
	if p.next == p.all {
		return 0, false
	}
	return p.begin.Add(p.due[p.next]), true
}

func (p *poisson) Take() client.Publication {
	i := p.next
	p.next++
	return client.Publication{Session: p.backend, ID: uint32(i), Topic: p.topics[i], Payload: []byte(strconv.Itoa(i))}
}

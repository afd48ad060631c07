package generator

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"

	"pushbench/bench/client"
	"pushbench/bench/clock"
	"pushbench/results"
)

// shortLived are clients that connect during the trial, subscribe, receive one message and
// disconnect. The ledger does not contain them, since a client that subscribes from now on expects
// no message at a known time. Their times to connect and to the first message are results, and
// all costs include them.
type shortLivedClients struct {
	driver     *driver
	repetition int

	mu      sync.Mutex // guards the fields below
	clients  map[int]*shortLivedClient
	account results.ShortLived
	ended   bool
	closing sync.WaitGroup
}

// A visit is the session of one short-lived client.
type shortLivedClient struct {
	due      clock.Instant
	counts   bool // due in the window, but not at its very end
	ready    bool
	received bool   // a message
	leave    func() // idempotent; called after the first message
}

func newShortLivedClients(d *driver, repetition int) *shortLivedClients {
	return &shortLivedClients{driver: d, repetition: repetition, clients: make(map[int]*shortLivedClient), account: results.ShortLived{LostBy: map[string]int64{}}}
}

// shortLivedStream makes the random numbers independent of those of schedules and phases.
const shortLivedStream = 1 << 34

// connect opens sessions at the scenario's rate from the start of the warm-up to the end of the
// window. Arrivals are independent (Poisson): sessions in phase with the messages would all wait
// for the same time.
func (v *shortLivedClients) connect(ctx context.Context, start clock.Instant) {
	d := v.driver
	gap := float64(time.Second) / float64(d.scenario.ShortLived.Rate)
	random := rand.New(rand.NewPCG(d.scenario.Seed, uint64(v.repetition)|shortLivedStream))
	at := 0.0
	for k := 0; ; k++ {
		at += random.ExpFloat64() * gap
		after := time.Duration(at)
		if after >= d.plan.Closes || closed(d.stop) || !clock.Wait(ctx, start.Add(after)) {
			return
		}
		v.open(d.scenario.Sessions()+k, start.Add(after), after >= d.plan.Opens && after < d.plan.Closes-v.uncounted())
	}
}

// uncounted is the time at the window's end in which new clients do not count, because perhaps no
// message follows: one second, or a quarter of a short window.
func (v *shortLivedClients) uncounted() time.Duration {
	return min(time.Second, (v.driver.plan.Closes-v.driver.plan.Opens)/4)
}

// open starts a visit. Its times are measured from the instant when it was due. Its topics are
// those of one of the regular clients, in turn.
func (v *shortLivedClients) open(id int, due clock.Instant, counts bool) {
	d := v.driver
	sub := d.subscription(id%d.scenario.Clients.Count, false)
	sub.Client, sub.Worker = id, id%len(d.recorders)
	if hasBackend(d.scenario) {
		sub.Worker = id % (len(d.recorders) - 1) // the last worker serves only the backend
	}
	leaves, leave := context.WithCancel(context.Background())
	one := &shortLivedClient{due: due, counts: counts, leave: leave}
	v.mu.Lock()
	if v.ended {
		v.mu.Unlock()
		return
	}
	v.clients[id] = one
	if counts {
		v.account.Started++
	}
	v.closing.Add(1)
	v.mu.Unlock()
	session := d.engine.Open(sub, v)
	go func() {
		defer v.closing.Done()
		<-leaves.Done()
		session.Close()
		v.mu.Lock()
		defer v.mu.Unlock()
		delete(v.clients, id)
	}()
}

// end closes all sessions and waits until they are closed.
func (v *shortLivedClients) end() {
	v.mu.Lock()
	v.ended = true
	for _, one := range v.clients {
		one.leave()
	}
	v.mu.Unlock()
	v.closing.Wait()
}

// settled reports whether no client that counts still waits for a message.
func (v *shortLivedClients) settled() bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, one := range v.clients {
		if one.counts && !one.received {
			return false
		}
	}
	return true
}

// total is the result. Call it after end.
func (v *shortLivedClients) total() results.ShortLived {
	v.mu.Lock()
	defer v.mu.Unlock()
	a := v.account
	a.First.Infinite = a.Started - a.First.Histogram.Count()
	a.First.Independent = a.Started
	return a
}

// Deliver records a client's first message.
func (v *shortLivedClients) Deliver(c int, b *client.Batch, at clock.Instant) {
	if len(b.Messages) == 0 {
		return
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	one := v.clients[c]
	if one == nil || one.received {
		return
	}
	one.received = true
	if one.counts {
		v.account.First.Histogram.Record(at.Sub(one.due))
	}
	one.leave()
}

// Event records subscriptions and lost connections.
func (v *shortLivedClients) Event(c int, e client.Event, at clock.Instant) {
	v.mu.Lock()
	defer v.mu.Unlock()
	one := v.clients[c]
	if one == nil || !one.counts {
		return
	}
	switch {
	case e.Kind == client.Connected && !one.ready:
		one.ready = true
		v.account.Connect.Record(at.Sub(one.due))
	case e.Kind == client.Disconnected && !one.received:
		v.account.LostBy[e.Cause]++
	}
}

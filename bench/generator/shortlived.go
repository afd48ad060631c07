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

// visitors are clients that come while the others are served, subscribe, hear a first
// message and leave. Nobody's ledger has them: who subscribes from now is owed nothing
// that it could be late for. How long they took is a result, and what they cost is in all costs.
type visitors struct {
	driver *driver
	block  int

	mu      sync.Mutex // guards what follows
	visits  map[int]*visit
	account results.Visits
	ended   bool
	leaving sync.WaitGroup
}

// A visit is one client's.
type visit struct {
	due    clock.Instant
	counts bool // it was due in the window, and not at its very end
	ready  bool
	heard  bool
	leave  func() // idempotent; called when it has heard something
}

func newVisitors(d *driver, block int) *visitors {
	return &visitors{driver: d, block: block, visits: make(map[int]*visit), account: results.Visits{LostBy: map[string]int64{}}}
}

// visitorStream sets the visitors' random numbers apart from those of schedules and phases.
const visitorStream = 1 << 34

// come opens sessions at the scenario's rate from the warm-up's begin to the window's end, each
// by itself, as people do: in step with the messages all would wait alike.
func (v *visitors) come(ctx context.Context, start clock.Instant) {
	d := v.driver
	gap := float64(time.Second) / float64(d.scenario.ShortLived.Rate)
	random := rand.New(rand.NewPCG(d.scenario.Seed, uint64(v.block)|visitorStream))
	at := 0.0
	for k := 0; ; k++ {
		at += random.ExpFloat64() * gap
		after := time.Duration(at)
		if after >= d.plan.Closes || closed(d.stop) || !clock.Wait(ctx, start.Add(after)) {
			return
		}
		v.open(d.scenario.Sessions()+k, start.Add(after), after >= d.plan.Opens && after < d.plan.Closes-v.last())
	}
}

// last is how long before the window's end visitors do not count any more: nothing may be said
// after them. A second, or a quarter of a short window.
func (v *visitors) last() time.Duration {
	return min(time.Second, (v.driver.plan.Closes-v.driver.plan.Opens)/4)
}

// open begins a visit that was due at an instant, from which it is timed. Its topics are those
// of one of the clients, in turn.
func (v *visitors) open(id int, due clock.Instant, counts bool) {
	d := v.driver
	like := d.subscription(id%d.scenario.Clients.Count, false)
	like.Client, like.Worker = id, id%len(d.recorders)
	if backed(d.scenario) {
		like.Worker = id % (len(d.recorders) - 1) // the last is the backend's
	}
	leaves, leave := context.WithCancel(context.Background())
	one := &visit{due: due, counts: counts, leave: leave}
	v.mu.Lock()
	if v.ended {
		v.mu.Unlock()
		return
	}
	v.visits[id] = one
	if counts {
		v.account.Came++
	}
	v.leaving.Add(1)
	v.mu.Unlock()
	session := d.engine.Open(like, v)
	go func() {
		defer v.leaving.Done()
		<-leaves.Done()
		session.Close()
		v.mu.Lock()
		defer v.mu.Unlock()
		delete(v.visits, id)
	}()
}

// end has everybody leave, whatever they have heard, and waits until they have.
func (v *visitors) end() {
	v.mu.Lock()
	v.ended = true
	for _, one := range v.visits {
		one.leave()
	}
	v.mu.Unlock()
	v.leaving.Wait()
}

// heard says whether nobody waits any more who counts.
func (v *visitors) heard() bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, one := range v.visits {
		if one.counts && !one.heard {
			return false
		}
	}
	return true
}

// total is what came of it. Call it after end.
func (v *visitors) total() results.Visits {
	v.mu.Lock()
	defer v.mu.Unlock()
	a := v.account
	a.First.Infinite = a.Came - a.First.Histogram.Count()
	a.First.Independent = a.Came
	return a
}

// Deliver notes who has heard a first message.
func (v *visitors) Deliver(c int, b *client.Batch, at clock.Instant) {
	if len(b.Messages) == 0 {
		return
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	one := v.visits[c]
	if one == nil || one.heard {
		return
	}
	one.heard = true
	if one.counts {
		v.account.First.Histogram.Record(at.Sub(one.due))
	}
	one.leave()
}

// Event notes who is subscribed, and whose connection was lost.
func (v *visitors) Event(c int, e client.Event, at clock.Instant) {
	v.mu.Lock()
	defer v.mu.Unlock()
	one := v.visits[c]
	if one == nil || !one.counts {
		return
	}
	switch {
	case e.Kind == client.Connected && !one.ready:
		one.ready = true
		v.account.Connect.Record(at.Sub(one.due))
	case e.Kind == client.Disconnected && !one.heard:
		v.account.LostBy[e.Cause]++
	}
}

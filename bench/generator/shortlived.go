package generator

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"

	"pushbench/bench/client"
	"pushbench/bench/clock"
	"pushbench/bench/record"
	"pushbench/results"
)

// shortLivedClients connect during the trial, subscribe, receive one message and disconnect. The
// ledger does not contain them: a client that subscribes without a cursor receives only messages
// published later, so the messages to expect are not known. Their times to connect and to the first
// message are results, and all costs include them.
type shortLivedClients struct {
	driver     *driver
	repetition int

	mu      sync.Mutex // guards the fields below
	clients map[int]*shortLivedClient
	account results.ShortLived
	ended   bool
	closing sync.WaitGroup
}

// A shortLivedClient is one of them, until its session is closed.
type shortLivedClient struct {
	due      clock.Instant
	counts   bool // due in the window, but not at its very end
	ready    bool
	received bool   // a message
	leave    func() // closes the session; idempotent; called after the first message
}

func newShortLivedClients(d *driver, repetition int) *shortLivedClients {
	return &shortLivedClients{
		driver: d, repetition: repetition,
		clients: make(map[int]*shortLivedClient), account: results.ShortLived{LostBy: map[string]int64{}},
	}
}

// shortLivedStream makes the random numbers independent of those of schedules and phases.
const shortLivedStream = 1 << 34

// connect opens sessions at the scenario's rate from the start of the warm-up to the end of the
// window. Arrivals are independent (Poisson): sessions in phase with the messages would all wait
// for the same time.
func (s *shortLivedClients) connect(ctx context.Context, start clock.Instant) {
	d := s.driver
	gap := float64(time.Second) / float64(d.scenario.ShortLived.Rate)
	random := rand.New(rand.NewPCG(d.scenario.Seed, uint64(s.repetition)|shortLivedStream))
	at := 0.0
	for k := 0; ; k++ {
		at += random.ExpFloat64() * gap
		after := time.Duration(at)
		if after >= d.plan.Closes || closed(d.stop) || !clock.Wait(ctx, start.Add(after)) {
			return
		}
		s.open(d.scenario.Sessions()+k, start.Add(after), after >= d.plan.Opens && after < d.plan.Closes-s.uncounted())
	}
}

// uncounted is the time at the window's end in which new clients do not count, because perhaps no
// message follows: one second, or a quarter of a short window.
func (s *shortLivedClients) uncounted() time.Duration {
	return min(time.Second, (s.driver.plan.Closes-s.driver.plan.Opens)/4)
}

// open starts a short-lived client. Its times are measured from the instant when it was due. Its
// topics are those of one of the other clients, in turn.
func (s *shortLivedClients) open(id int, due clock.Instant, counts bool) {
	d := s.driver
	sub := d.subscription(id%d.scenario.Clients.Count, false)
	sub.Client, sub.Worker = id, id%len(d.recorders)
	if hasBackend(d.scenario) {
		sub.Worker = id % (len(d.recorders) - 1) // the last worker serves only the backend
	}
	left, leave := context.WithCancel(context.Background())
	c := &shortLivedClient{due: due, counts: counts, leave: leave}
	s.mu.Lock()
	if s.ended {
		s.mu.Unlock()
		return
	}
	s.clients[id] = c
	if counts {
		s.account.Started++
	}
	s.closing.Add(1)
	s.mu.Unlock()
	session := d.engine.Open(sub, s)
	go func() {
		defer s.closing.Done()
		<-left.Done()
		session.Close()
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.clients, id)
	}()
}

// end closes all sessions and waits until they are closed.
func (s *shortLivedClients) end() {
	s.mu.Lock()
	s.ended = true
	for _, c := range s.clients {
		c.leave()
	}
	s.mu.Unlock()
	s.closing.Wait()
}

// settled reports whether no client that counts still waits for a message.
func (s *shortLivedClients) settled() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range s.clients {
		if c.counts && !c.received {
			return false
		}
	}
	return true
}

// total is the result. Call it after end.
func (s *shortLivedClients) total() results.ShortLived {
	s.mu.Lock()
	defer s.mu.Unlock()
	a := s.account
	a.First.Infinite = a.Started - a.First.Histogram.Count()
	a.First.Independent = a.Started
	return a
}

// Deliver records a client's first message.
func (s *shortLivedClients) Deliver(id int, b *client.Batch, at clock.Instant) {
	if len(b.Messages) == 0 {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.clients[id]
	if c == nil || c.received {
		return
	}
	c.received = true
	if c.counts {
		s.account.First.Histogram.Record(at.Sub(c.due))
	}
	c.leave()
}

// Event records subscriptions and lost connections.
func (s *shortLivedClients) Event(id int, e client.Event, at clock.Instant) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.clients[id]
	if c == nil || !c.counts {
		return
	}
	switch {
	case e.Kind == client.Connected && !c.ready:
		c.ready = true
		s.account.Connect.Record(at.Sub(c.due))
	case e.Kind == client.Disconnected && !c.received:
		record.Count(s.account.LostBy, e.Cause)
	}
}

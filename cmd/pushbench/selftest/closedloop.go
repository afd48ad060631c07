package selftest

import (
	"slices"
	"time"

	"pushbench/bench/client"
	"pushbench/bench/clock"
	"pushbench/scenarios"
	"pushbench/scenarios/transports"
)

// closedLoop is the control: the same client, the same server, the same standstill,
// but the next message is published only when the last one has come, and latency
// counts from the actual send. Its p99 must not see the standstill; a self-test in
// which it did could not see coordinated omission either.
func closedLoop(l *lab) ([]Row, error) {
	s, err := l.serve(transports.WebSocket, "")
	if err != nil {
		return nil, err
	}
	defer s.stop()
	var traffic client.Traffic
	engine, err := l.engine(client.Config{Target: s.address, Transport: scenarios.WebSocket, Traffic: &traffic})
	if err != nil {
		return nil, err
	}
	defer engine.Close()
	echo := &echo{ready: make(chan struct{}, 1), came: make(chan clock.Instant, 1)}
	session := engine.Open(client.Subscription{Topics: []string{"t"}, Publishes: true}, echo)
	defer session.Close()
	select {
	case <-echo.ready:
	case <-time.After(patience):
		return nil, errPatience
	}
	stood := make(chan time.Duration, 1)
	go func() {
		time.Sleep(frozenAt)
		f, _ := freeze(s.child.Process.Pid, frozenFor) // 0 where it failed, which the rows say
		stood <- f
	}()
	measured, err := echo.loop(session, frozenAt+frozenFor+2*time.Second)
	if err != nil {
		return nil, err
	}
	f := <-stood
	slices.Sort(measured)
	longest := measured[len(measured)-1]
	return []Row{
		took("the longest, which one message saw", f, longest, f/10),
		between("p99, which ought to be most of a second", " ms", 0, ms(f)/10, ms(measured[len(measured)*99/100])),
	}, nil
}

// patience bounds every wait for something that must come.
const patience = 10 * time.Second

// An echo is told when the one message on its way has come back.
type echo struct {
	ready chan struct{}
	came  chan clock.Instant
}

func (e *echo) Deliver(_ int, b *client.Batch, at clock.Instant) {
	if len(b.Messages) > 0 {
		e.came <- at
	}
}

func (e *echo) Event(_ int, event client.Event, _ clock.Instant) {
	if event.Kind == client.Connected {
		e.ready <- struct{}{}
	}
}

// loop publishes about a thousand messages a second, each after the last has come.
func (e *echo) loop(session client.Session, length time.Duration) (measured []time.Duration, err error) {
	const pause = time.Millisecond
	for end, id := clock.Now().Add(length), uint32(0); clock.Now() < end; id++ {
		sent := clock.Now()
		session.Publish(id, "t", []byte("hello"))
		select {
		case at := <-e.came:
			measured = append(measured, at.Sub(sent))
		case <-time.After(patience):
			return nil, errPatience
		}
		time.Sleep(pause)
	}
	return measured, nil
}

package selftest

import (
	"slices"
	"time"

	"pushbench/bench/client"
	"pushbench/bench/clock"
	"pushbench/scenarios/transports"
)

// closedLoop is the control: the same client, the same server, the same standstill,
// but the next message is published only when the last one has come, and latency
// counts from the actual send. Its p99 must not see the standstill; a self-test in
// which it did could not see coordinated omission either.
func closedLoop(l *lab) ([]Result, error) {
	t, err := l.connect(transports.WebSocket, 1, client.Config{}, false)
	if err != nil {
		return nil, err
	}
	defer t.close()
	stood := new(frost)
	frozen := stood.freeze(t.server.PID(), frozenAt)
	var measured []time.Duration
	for end := clock.Now().Add(frozenAt + frozenFor + 2*time.Second); clock.Now() < end; time.Sleep(time.Millisecond) {
		sent := clock.Now()
		t.sessions[0].Publish(uint32(len(measured)), "a", []byte("hello"))
		if err := t.echoed(len(measured) + 1); err != nil {
			return nil, err
		}
		measured = append(measured, clock.Now().Sub(sent))
	}
	<-frozen
	f := stood.last()
	slices.Sort(measured)
	longest := measured[len(measured)-1]
	return []Result{
		took("the longest, which one message saw", f, longest, f/10),
		between("p99, which ought to be most of a second", " ms", 0, ms(f)/10, ms(measured[len(measured)*99/100])),
	}, nil
}

// patience bounds every wait for something that must come.
const patience = 10 * time.Second

package selftest

import (
	"slices"
	"time"

	"pushbench/bench/client"
	"pushbench/bench/clock"
	"pushbench/scenarios/transports"
)

// closedLoop is the control for coordinated omission. Client, server and stall are the same
// as in the check "server-stall", but the next message is published only after the last
// one has arrived, and latency counts from the actual send. Its p99 must not show the stall.
// If it did, the self-test could not detect coordinated omission.
func closedLoop(l *lab) ([]Result, error) {
	g, err := l.connect(transports.WebSocket, 1, client.Config{}, false)
	if err != nil {
		return nil, err
	}
	defer g.close()
	s := new(stall)
	resumed := s.freeze(g.server.PID(), frozenAt)
	var measured []time.Duration
	for end := clock.Now().Add(frozenAt + frozenFor + 2*time.Second); clock.Now() < end; time.Sleep(time.Millisecond) {
		sent := clock.Now()
		g.sessions[0].Publish(uint32(len(measured)), "a", []byte("hello"))
		if err := g.echoed(len(measured) + 1); err != nil {
			return nil, err
		}
		measured = append(measured, clock.Now().Sub(sent))
	}
	<-resumed
	f := s.last()
	slices.Sort(measured)
	longest := measured[len(measured)-1]
	return []Result{
		took("maximum (one message meets the stall)", f, longest, f/10),
		between("p99 (open loop: most of a second)", " ms", 0, ms(f)/10, ms(measured[len(measured)*99/100])),
	}, nil
}

// readTimeout limits every wait for a message.
const readTimeout = 10 * time.Second

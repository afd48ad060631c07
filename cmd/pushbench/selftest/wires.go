package selftest

import (
	"bytes"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"pushbench/bench/child"
	"pushbench/bench/client"
	"pushbench/bench/client/engines"
	"pushbench/bench/clock"
	"pushbench/bench/model"
	"pushbench/bench/relay"
	"pushbench/bench/trace"
	"pushbench/results"
	"pushbench/scenarios"
	"pushbench/scenarios/transports"
)

// wires are the proofs in which somebody else reads what crosses the wire.
var wires = []claim{
	{name: "bytes", says: "bytes and requests are what a relay between client and server has seen", run: wireBytes},
	{name: "frames", says: "WebSocket frames have the headers of RFC 6455, section 5.2", run: frames},
	{name: "retries", says: "a request that gets no answer is reported as such, and never sent again in secret", run: retries},
}

// A tap is clients of one transport, connected to a server, mostly through a relay.
type tap struct {
	server   *child.Process
	relay    *relay.Relay // nil: none
	engine   client.Engine
	traffic  client.Traffic
	witness  witness
	sessions []client.Session
}

func (l *lab) connect(transport scenarios.Transport, clients int, config client.Config, relayed bool) (t *tap, err error) {
	t = &tap{}
	defer func() {
		if err != nil { // else it would go on beside proofs that want the machine to themselves
			t.close()
		}
	}()
	config.Transport, config.Traffic = transport, &t.traffic
	if t.server, config.Target, err = l.serve(string(transport)); err != nil {
		return nil, err
	}
	if relayed {
		if t.relay, err = relay.Start(config.Target); err != nil {
			return nil, err
		}
		config.Target = t.relay.Addr
	}
	if t.engine, err = engines.New(l.options.Engine, config); err != nil {
		return nil, err
	}
	for c := range clients {
		t.sessions = append(t.sessions, t.engine.Open(client.Subscription{
			Client: c, Worker: c % t.engine.Workers(), Topics: []string{"a"}, Publishes: true, Phase: float64(c) / float64(clients),
		}, &t.witness))
	}
	return t, eventually(func() bool { return t.witness.subscribed.Load() == int64(clients) })
}

// close ends the sessions, and whatever else was begun.
func (t *tap) close() {
	for _, s := range t.sessions {
		s.Close()
	}
	if t.engine != nil {
		t.engine.Close()
	}
	if t.relay != nil {
		t.relay.Close()
	}
	if t.server != nil {
		_ = t.server.End(child.EndWait) // what it says of its end is of no use here
	}
}

// A witness counts what its sessions report.
type witness struct{ subscribed, messages, acked, broken atomic.Int64 }

func (w *witness) Deliver(_ int, b *client.Batch, _ clock.Instant) {
	w.messages.Add(int64(len(b.Messages)))
}

func (w *witness) Event(_ int, e client.Event, _ clock.Instant) {
	switch {
	case e.Kind == client.Connected && !e.Stages.Resume:
		w.subscribed.Add(1)
	case e.Kind == client.Acked:
		w.acked.Add(1)
	case e.Kind == client.Disconnected:
		w.broken.Add(1)
	}
}

// echoed waits until so many messages were published and delivered to each session.
func (t *tap) echoed(published int) error {
	return eventually(func() bool {
		return t.witness.messages.Load() == int64(len(t.sessions)*published) && t.witness.acked.Load() == int64(published)
	})
}

// wireBytes: three clients of each transport exchange messages of all sizes.
func wireBytes(l *lab) ([]Result, error) { return each(scenarios.ClientOpened, l.wireBytesOf) }

func (l *lab) wireBytesOf(transport scenarios.Transport) ([]Result, error) {
	const clients = 3
	t, err := l.connect(transport, clients, client.Config{Interval: 20 * time.Millisecond, PollTimeout: 200 * time.Millisecond}, true)
	if err != nil {
		return nil, err
	}
	defer t.close()
	published, payloads := 0, 0
	for _, size := range []int{0, 1, 64, 125, 126, 1000, 10_000, 60_000} {
		for _, s := range t.sessions {
			s.Publish(uint32(published), "a", bytes.Repeat([]byte("x"), size))
			published, payloads = published+1, payloads+size
		}
	}
	if err := t.echoed(published); err != nil {
		return nil, err
	}
	for _, s := range t.sessions {
		s.Close()
	}
	up, down, requests := t.settled()
	w := t.traffic.Snapshot()
	return of(string(transport),
		exactly("bytes up", up, w.Up.Bytes),
		// What the server had sent when a client hung up, the client may never have read.
		between("bytes down", "", float64(w.Down.Bytes), float64(w.Down.Bytes)+goodbyes*clients, float64(down)),
		exactly("requests", requests, w.Requests),
		exactly("payload up", int64(payloads), w.Up.Payload),
		exactly("payload down", int64(clients*payloads), w.Down.Payload),
		exactly("bytes up = payload + envelope + framing + headers", w.Up.Bytes, w.Up.Payload+w.Up.Envelope+w.Up.Framing+w.Up.Headers),
		exactly("the same of bytes down", w.Down.Bytes, w.Down.Payload+w.Down.Envelope+w.Down.Framing+w.Down.Headers)), nil
}

// goodbyes is what a server may have sent to a connection of a client that no longer reads: an answer.
const goodbyes = 300

// settled waits until the relay has read all that clients wrote. Where it never has,
// the rows will say so.
func (t *tap) settled() (up, down, requests int64) {
	_ = eventually(func() bool {
		up, down = t.relay.Bytes()
		return up == t.traffic.Snapshot().Up.Bytes
	})
	return up, down, t.relay.Requests()
}

// eventually waits for a condition until patience ends.
func eventually(holds func() bool) error {
	looks, limit := time.NewTicker(time.Millisecond), time.After(patience)
	defer looks.Stop()
	for !holds() {
		select {
		case <-looks.C:
		case <-limit:
			return errors.New("waited in vain for an answer")
		}
	}
	return nil
}

// frames: publications of sizes around the limits, as they crossed the wire.
func frames(l *lab) (rows []Result, err error) {
	t, err := l.connect(transports.WebSocket, 1, client.Config{}, true)
	if err != nil {
		return nil, err
	}
	defer t.close()
	sizes := []int{125, 126, 65535, 65536}
	for i, size := range sizes {
		around := len(fmt.Sprintf(`{"id":%d,"topic":"a","data":""}`, i))
		before := t.traffic.Snapshot()
		t.sessions[0].Publish(uint32(i), "a", bytes.Repeat([]byte("x"), size-around))
		if err := t.echoed(i + 1); err != nil {
			return rows, err
		}
		after := t.traffic.Snapshot()
		rows = append(rows, exactly(fmt.Sprintf("header of a masked frame of %d bytes", size),
			int64(model.FrameHeader(size, true)), after.Up.Framing-before.Up.Framing))
	}
	t.sessions[0].Close()
	t.settled()
	// Package trace reads frames by itself, not as the client does, which made these.
	var up, down []trace.Step
	for _, step := range trace.Read("frames", t.relay.Conversations(), nil).Steps {
		switch step.Kind {
		case trace.Up:
			up = append(up, step)
		case trace.Down:
			down = append(down, step)
		}
	}
	headers := up[1:] // after the request
	if rows = append(rows, exactly("frames on the wire, the closing one included", len(sizes)+1, len(headers))); len(headers) != len(sizes)+1 {
		return rows, nil
	}
	for i, size := range sizes {
		rows = append(rows, exactly(fmt.Sprintf("the same on the wire, %d bytes", size), model.FrameHeader(size, true), headers[i].Bytes-size))
	}
	return append(rows,
		exactly("smallest answer to an upgrade", 129, down[0].Bytes),
		exactly("close frame of 2 bytes, masked", model.FrameHeader(2, true), headers[len(sizes)].Bytes-2)), nil
}

// retries: every tenth request is answered by a reset, and the wire must show as many
// requests as are reported.
func retries(l *lab) ([]Result, error) {
	return each([]scenarios.Transport{transports.ShortPoll, transports.LongPoll}, func(transport scenarios.Transport) ([]Result, error) {
		t, err := l.connect(transport, 4, client.Config{Interval: 5 * time.Millisecond, PollTimeout: 5 * time.Millisecond}, true)
		if err != nil {
			return nil, err
		}
		defer t.close()
		t.relay.Refuse(10)
		const enough = 50
		err = eventually(func() bool { return t.relay.Resets() >= enough })
		t.relay.Refuse(0)
		if err != nil {
			return nil, err
		}
		_ = eventually(func() bool { return t.witness.broken.Load() >= t.relay.Resets() }) // else the rows say so
		for _, s := range t.sessions {
			s.Close()
		}
		_, _, requests := t.settled()
		return []Result{
			exactly(string(transport)+" requests on the wire", requests, t.traffic.Requests.Load()),
			exactly(string(transport)+" failures reported", t.relay.Resets(), t.witness.broken.Load()),
		}, nil
	})
}

// lossless says that a trial delivered everything that was owed.
func lossless(t results.Trial) Result { return exactly(t.Transport+" lost", 0, t.Ledger.Lost) }

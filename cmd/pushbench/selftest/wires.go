package selftest

import (
	"bytes"
	"fmt"
	"sync"
	"time"

	"pushbench/bench/client"
	"pushbench/bench/clock"
	"pushbench/bench/model"
	"pushbench/bench/relay"
	"pushbench/results"
	"pushbench/scenarios"
)

// wires are the proofs in which somebody else reads what crosses the wire.
var wires = []claim{
	{name: "bytes", says: "bytes and requests are what a relay between client and server has seen", run: wireBytes},
	{name: "frames", says: "WebSocket frames have the headers of RFC 6455, section 5.2", run: frames},
	{name: "retries", says: "a request that gets no answer is reported as such, and never sent again in secret", run: retries},
}

// A tap is clients of one transport, connected to a server through a relay.
type tap struct {
	server   *server
	relay    *relay.Relay
	engine   client.Engine
	traffic  client.Traffic
	witness  *witness
	sessions []client.Session
	closed   bool
}

func (l *lab) tap(transport scenarios.Transport, clients int, config client.Config) (t *tap, err error) {
	t = &tap{witness: newWitness()}
	defer func() {
		if err != nil { // else it would go on beside proofs that want the machine to themselves
			t.close()
		}
	}()
	if t.server, err = l.serve(string(transport), ""); err != nil {
		return nil, err
	}
	if t.relay, err = relay.Start(t.server.address); err != nil {
		return nil, err
	}
	config.Target, config.Transport, config.Traffic = t.relay.Addr, transport, &t.traffic
	if t.engine, err = l.engine(config); err != nil {
		return nil, err
	}
	for c := range clients {
		t.sessions = append(t.sessions, t.engine.Open(client.Subscription{
			Client: c, Worker: c % t.engine.Workers(), Topics: []string{"a"}, Publishes: true, Phase: float64(c) / float64(clients),
		}, t.witness))
	}
	return t, t.witness.await(func(w *witness) bool { return w.subscribed == clients })
}

// close ends the sessions, and whatever else was begun.
func (t *tap) close() {
	if t.closed {
		return
	}
	t.closed = true
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
		_ = t.server.stop() // what it says of its end is of no use here
	}
}

// A witness counts what its sessions are told.
type witness struct {
	mu         sync.Mutex // guards what follows
	changed    chan struct{}
	subscribed int
	messages   int
	acked      int
	broken     int
}

func newWitness() *witness { return &witness{changed: make(chan struct{}, 1)} }

func (w *witness) note(change func()) {
	w.mu.Lock()
	change()
	w.mu.Unlock()
	select {
	case w.changed <- struct{}{}:
	default: // it is told already
	}
}

func (w *witness) Deliver(_ int, b *client.Batch, _ clock.Instant) {
	w.note(func() { w.messages += len(b.Messages) })
}

func (w *witness) Event(_ int, e client.Event, _ clock.Instant) {
	w.note(func() {
		switch {
		case e.Kind == client.Connected && !e.Stages.Resume:
			w.subscribed++
		case e.Kind == client.Acked:
			w.acked++
		case e.Kind == client.Disconnected:
			w.broken++
		}
	})
}

// failures is how many connections were reported as lost.
func (w *witness) failures() int64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	return int64(w.broken)
}

func (w *witness) await(holds func(*witness) bool) error {
	limit := time.After(patience)
	for {
		w.mu.Lock()
		done := holds(w)
		w.mu.Unlock()
		if done {
			return nil
		}
		select {
		case <-w.changed:
		case <-limit:
			return errPatience
		}
	}
}

// wireBytes: three clients of each transport exchange messages of all sizes.
func wireBytes(l *lab) (rows []Row, err error) {
	for _, transport := range scenarios.Transports {
		more, err := l.wireBytesOf(transport)
		if err != nil {
			return rows, fmt.Errorf("%s: %w", transport, err)
		}
		rows = append(rows, more...)
	}
	return rows, nil
}

func (l *lab) wireBytesOf(transport scenarios.Transport) ([]Row, error) {
	const clients = 3
	t, err := l.tap(transport, clients, client.Config{Interval: 20 * time.Millisecond, Hold: 200 * time.Millisecond})
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
	if err := t.witness.await(func(w *witness) bool { return w.messages == clients*published && w.acked == published }); err != nil {
		return nil, err
	}
	for _, s := range t.sessions {
		s.Close()
	}
	up, down, requests := t.settled()
	w := t.traffic.Snapshot()
	name := string(transport)
	return []Row{
		exactly(name+" bytes up", up, w.Up.Bytes),
		// What the server had sent when a client hung up, the client may never have read.
		between(name+" bytes down", "", float64(w.Down.Bytes), float64(w.Down.Bytes)+goodbyes*clients, float64(down)),
		exactly(name+" requests", requests, w.Requests),
		exactly(name+" payload up", int64(payloads), w.Up.Payload),
		exactly(name+" payload down", int64(clients*payloads), w.Down.Payload),
		exactly(name+" bytes up = payload + envelope + framing + headers", w.Up.Bytes, w.Up.Payload+w.Up.Envelope+w.Up.Framing+w.Up.Headers),
		exactly(name+" the same of bytes down", w.Down.Bytes, w.Down.Payload+w.Down.Envelope+w.Down.Framing+w.Down.Headers),
	}, nil
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

// eventually waits for what no event announces.
func eventually(holds func() bool) error {
	looks, limit := time.NewTicker(time.Millisecond), time.After(patience)
	defer looks.Stop()
	for !holds() {
		select {
		case <-looks.C:
		case <-limit:
			return errPatience
		}
	}
	return nil
}

// frames: publications of sizes around the limits, as they crossed the wire.
func frames(l *lab) (rows []Row, err error) {
	t, err := l.tap(scenarios.WebSocket, 1, client.Config{})
	if err != nil {
		return nil, err
	}
	defer t.close()
	sizes := []int{125, 126, 65535, 65536}
	for i, size := range sizes {
		around := len(fmt.Sprintf(`{"id":%d,"topic":"a","data":""}`, i))
		before := t.traffic.Snapshot()
		t.sessions[0].Publish(uint32(i), "a", bytes.Repeat([]byte("x"), size-around))
		if err := t.witness.await(func(w *witness) bool { return w.messages == i+1 && w.acked == i+1 }); err != nil {
			return rows, err
		}
		after := t.traffic.Snapshot()
		rows = append(rows, exactly(fmt.Sprintf("header of a masked frame of %d bytes", size),
			int64(model.FrameHeader(size, true)), after.Up.Framing-before.Up.Framing))
	}
	t.sessions[0].Close()
	t.settled()
	talk := t.relay.Conversations()[0]
	headers, err := upFrames(talk)
	if err != nil {
		return rows, err
	}
	if rows = append(rows, exactly("frames on the wire, the closing one included", len(sizes)+1, len(headers))); len(headers) != len(sizes)+1 {
		return rows, nil
	}
	for i, size := range sizes {
		rows = append(rows, exactly(fmt.Sprintf("the same on the wire, %d bytes", size), model.FrameHeader(size, true), headers[i]))
	}
	_, after, _ := bytes.Cut(talk.Down, []byte("\r\n\r\n"))
	return append(rows,
		exactly("smallest answer to an upgrade", 129, len(talk.Down)-len(after)),
		exactly("close frame of 2 bytes, masked", model.FrameHeader(2, true), headers[len(sizes)])), nil
}

// upFrames are the header sizes of the frames that a client sent.
func upFrames(talk relay.Conversation) (headers []int, err error) {
	_, raw, _ := bytes.Cut(talk.Up, []byte("\r\n\r\n"))
	for len(raw) > 0 {
		header, size, ok := frame(raw)
		if !ok || header+size > len(raw) {
			return nil, fmt.Errorf("no frame of RFC 6455: %x", raw[:min(16, len(raw))])
		}
		headers = append(headers, header)
		raw = raw[header+size:]
	}
	return headers, nil
}

// frame reads a header by RFC 6455, section 5.2, from that text alone.
func frame(raw []byte) (header, size int, ok bool) {
	if len(raw) < 2 {
		return 0, 0, false
	}
	header, size = 2, int(raw[1]&0x7f)
	extended := map[int]int{126: 2, 127: 8}[size]
	if len(raw) < 2+extended {
		return 0, 0, false
	}
	if extended > 0 {
		size = 0
		for _, b := range raw[2 : 2+extended] {
			size = size<<8 | int(b)
		}
	}
	header += extended
	if raw[1]&0x80 != 0 {
		header += 4
	}
	return header, size, true
}

// retries: every tenth request is answered by a reset, and the wire must show as many
// requests as are reported.
func retries(l *lab) (rows []Row, err error) {
	for _, transport := range []scenarios.Transport{scenarios.ShortPoll, scenarios.LongPoll} {
		t, err := l.tap(transport, 4, client.Config{Interval: 5 * time.Millisecond, Hold: 5 * time.Millisecond})
		if err != nil {
			return rows, err
		}
		t.relay.Refuse(10)
		const enough = 50
		err = eventually(func() bool { return t.relay.Resets() >= enough })
		t.relay.Refuse(0)
		_ = eventually(func() bool { return t.witness.failures() >= t.relay.Resets() }) // else the rows say so
		for _, s := range t.sessions {
			s.Close()
		}
		if err == nil {
			_, _, requests := t.settled()
			rows = append(rows,
				exactly(string(transport)+" requests on the wire", requests, t.traffic.Requests.Load()),
				exactly(string(transport)+" failures reported", t.relay.Resets(), t.witness.failures()))
		}
		t.close()
		if err != nil {
			return rows, fmt.Errorf("%s: %w", transport, err)
		}
	}
	return rows, nil
}

// lossless says that a trial delivered everything that was owed.
func lossless(t results.Trial) Row { return exactly(t.Transport+" lost", 0, t.Ledger.Lost) }

package generator

import (
	"bytes"
	"crypto/sha1"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"net/textproto"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"pushbench/bench/client"
	"pushbench/bench/client/engines"
	"pushbench/bench/clock"
	"pushbench/bench/payload"
	"pushbench/bench/record"
	"pushbench/bench/schedule"
	"pushbench/bench/target"
	"pushbench/scenarios"
	"pushbench/scenarios/transports"
)

// A spoken protocol is one whose cost in the load generator is measured.
type spoken struct {
	name      string
	transport scenarios.Transport
	target    string   // transports and publish of a target file; "": pushbench's own protocol
	greeting  string   // follows the header that opens a stream or a WebSocket
	message   []string // around and between the payloads
	ack       string   // the response to a publication
}

// protocols has pushbench's own protocol first in each group.
var protocols = []spoken{
	{
		"websocket/reference", transports.WebSocket, "", textFrame(`{"cursor":"e.1","heads":{"a":1}}`),
		[]string{`{"cursor":"e.1001","messages":[{"topic":"a","seq":1001,"data":"`, `"}]}`},
		textFrame(`{"ack":7,"seq":1001}`),
	},
	{
		"websocket/json", transports.WebSocket, `transports: {websocket: {path: '/chat?room={topic}', heartbeat: {when: '^2$', send: '3'}}}
publish: {frame: '{"type":"say","room":"{topic}","text":"{payload}","id":{id}}', ack: '"type":"said"'}`, "",
		[]string{`{"type":"message","room":"a","text":"`, `"}`},
		textFrame(`{"type":"said","id":7}`),
	},
	{
		"websocket/mqtt", transports.WebSocket, `transports: {websocket: {path: '/mqtt?t={topic}', binary: true}}
publish: {frame: "\x32{rest}{topic_u16}\x00\x07{payload}", ack: '^\x40\x02'}`, "",
		[]string{"\x30\x83\x01\x00\x01a", ""},
		"\x82\x04\x40\x02\x00\x07",
	},
	{
		"four/reference", transports.WebSocket, "", textFrame(`{"cursor":"e.1","heads":{"a":1}}`),
		append(append([]string{`{"cursor":"e.1001","messages":[{"topic":"a","seq":1001,"data":"`}, repeated(`"},{"topic":"a","seq":1001,"data":"`)...), `"}]}`), textFrame(`{"ack":7,"seq":1001}`),
	},
	{
		"four/centrifugo", transports.WebSocket, `transports: {websocket: {path: '/connection?t={topic}', split: "\n", heartbeat: {when: '^\{\}$', send: '{}'}}}
publish: {frame: '{"id":1{id},"publish":{"channel":"{topic}","data":"{payload}"}}', ack: '"publish":\{\}'}`, "",
		append(append([]string{`{"push":{"channel":"a","pub":{"data":"`}, repeated(`","offset":1001}}}`+"\n"+`{"push":{"channel":"a","pub":{"data":"`)...), `","offset":1001}}}`), textFrame(`{"id":17,"publish":{}}`),
	},
	{
		"sse/reference", transports.SSE, "", chunk("data: {\"cursor\":\"e.1\",\"heads\":{\"a\":1}}\n\n"),
		[]string{`data: {"cursor":"e.1001","messages":[{"topic":"a","seq":1001,"data":"`, "\"}]}\n\n"},
		"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 12\r\n\r\n{\"seq\":1001}",
	},
	{
		"sse/nchan", transports.SSE, "transports: {sse: {path: '/stream?topic={topic}'}}\npublish: {post: '/publish?topic={topic}'}", chunk(": hi\n\n"),
		[]string{"id: 1796076000:0\ndata: ", "\n\n"},
		"HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n",
	},
}

func repeated(s string) []string { return []string{s, s, s} }

// textFrame is a text frame of a server (RFC 6455, section 5.2), and chunk a chunk of a response.
func textFrame(text string) string {
	if len(text) < 126 {
		return string([]byte{0x81, byte(len(text))}) + text
	}
	return string(binary.BigEndian.AppendUint16([]byte{0x81, 126}, uint16(len(text)))) + text
}

func chunk(text string) string { return fmt.Sprintf("%x\r\n%s\r\n", len(text), text) }

const (
	speakers     = 200 // clients: one wake-up of the loop serves all
	speakerRound = 512 // messages, which are then repeated for a new recorder
	spokenRun    = 0xc057c057
	spokenBytes  = 128 // of a payload
)

// speakerPlan has the messages of a benchmark. All are in the window.
func speakerPlan() *schedule.Schedule {
	s := &scenarios.Scenario{Window: scenarios.Duration(time.Hour)}
	s.Clients.Count, s.Topics.Count, s.Topics.PerClient, s.Topics.Spread = speakers, 1, 1, scenarios.Even
	messages := make([]schedule.Message, 4*speakerRound)
	for i := range messages {
		messages[i].Size = spokenBytes
	}
	return schedule.Of(s, messages)
}

// wire returns the bytes of the messages of all rounds.
func (p *spoken) wire() (all [][]byte) {
	next := uint32(0)
	for range speakerRound {
		text := p.message[0]
		for _, after := range p.message[1:] {
			text += string(payload.Append(nil, spokenRun, next, spokenBytes)) + after
			next++
		}
		switch {
		case p.transport == transports.SSE:
			text = chunk(text)
		case strings.Contains(p.target, "binary: true"):
			text = "\x82" + textFrame(text)[1:]
		default:
			text = textFrame(text)
		}
		all = append(all, []byte(text))
	}
	return all
}

// A listenerSink passes everything to a recorder, and signals the end of a round. In its first delivery it blocks until
// all clients have received theirs, so that one wake-up of the loop handles them.
type listenerSink struct {
	recorder                       atomic.Pointer[record.Recorder]
	connected, begun, written, end chan struct{}
	missing                        atomic.Int64 // of the round
}

func (s *listenerSink) Deliver(c int, b *client.Batch, at clock.Instant) {
	if c == 0 && len(b.Messages) > 0 {
		s.begun <- struct{}{}
		<-s.written
	}
	s.recorder.Load().Deliver(c, b, at)
	s.add(len(b.Messages))
}

func (s *listenerSink) Event(c int, e client.Event, at clock.Instant) {
	s.recorder.Load().Event(c, e, at)
	switch e.Kind {
	case client.Connected:
		s.connected <- struct{}{}
	case client.Acked:
		s.add(1)
	case client.Disconnected, client.Failed, client.Dropped:
		panic(fmt.Sprintf("client %d: %s: the benchmark would never end", c, e.Cause))
	}
}

func (s *listenerSink) add(n int) {
	if n > 0 && s.missing.Add(-int64(n)) == 0 {
		s.end <- struct{}{}
	}
}

// A costBench has the clients of a benchmark and their server, which does its system calls on the benchmark's thread.
type costBench struct {
	b        *testing.B
	plan     *schedule.Schedule
	sink     *listenerSink
	sessions []client.Session
	fds      []int
	buffer   [64 << 10]byte
}

// startCost connects the clients. Those that publish by POST are backends.
func startCost(b *testing.B, p *spoken, posts bool) *costBench {
	k := &costBench{b: b, plan: speakerPlan(), sink: &listenerSink{connected: make(chan struct{}, 1), begun: make(chan struct{}), written: make(chan struct{}), end: make(chan struct{}, 1)}}
	k.renew()
	listener, address := k.listen()
	config := client.Config{Target: address, Transport: p.transport, Workers: 1, Traffic: new(client.Traffic)}
	if p.target != "" {
		file, err := scenarios.ReadTarget("cost.yaml", strings.NewReader("version: 1\nname: cost\nurl: http://127.0.0.1:1\n"+p.target))
		k.must(err)
		config.Dialect, err = target.Compile(file, p.transport, nil)
		k.must(err)
		config.Payloads = payloads(k.plan, spokenRun)
	}
	engine, err := engines.New(engines.EventLoop, config)
	k.must(err)
	b.Cleanup(func() {
		for _, s := range k.sessions {
			s.Close()
		}
		engine.Close()
		for _, fd := range append(k.fds, listener) {
			unix.Close(fd)
		}
	})
	for i := range speakers {
		sub := client.Subscription{Client: i, Topics: []string{k.plan.Topics[0]}, Delivery: string(scenarios.Every)}
		if posts {
			sub.Topics = nil
		}
		sub.Publishes = !posts && p.transport == transports.WebSocket
		k.sessions = append(k.sessions, engine.Open(sub, k.sink))
		fd, _, err := unix.Accept(listener)
		k.must(err)
		k.fds = append(k.fds, fd)
		k.must(unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1))
		if !posts {
			k.write(fd, []byte(p.opening(k.read(fd))+p.greeting))
		}
		<-k.sink.connected
	}
	return k
}

// opening is the header of a response.
func (p *spoken) opening(request []byte) string {
	if p.transport == transports.SSE {
		return "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
	}
	_, key, _ := bytes.Cut(request, []byte("Sec-WebSocket-Key: "))
	sum := sha1.Sum(append(textproto.TrimBytes(key[:24]), "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"...))
	return "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: " + base64.StdEncoding.EncodeToString(sum[:]) + "\r\n\r\n"
}

func (k *costBench) must(err error) {
	if err != nil {
		k.b.Helper()
		k.b.Fatal(err)
	}
}

func (k *costBench) listen() (fd int, address string) {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	k.must(err)
	k.must(unix.Bind(fd, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}))
	k.must(unix.Listen(fd, speakers))
	bound, err := unix.Getsockname(fd)
	k.must(err)
	return fd, fmt.Sprintf("127.0.0.1:%d", bound.(*unix.SockaddrInet4).Port)
}

func (k *costBench) write(fd int, data []byte) {
	if n, err := unix.Write(fd, data); n != len(data) {
		k.b.Fatalf("wrote %d of %d bytes: %v", n, len(data), err)
	}
}

func (k *costBench) read(fd int) []byte {
	n, err := unix.Read(fd, k.buffer[:])
	k.must(err)
	return k.buffer[:n]
}

// renew begins with a new recorder.
func (k *costBench) renew() {
	all := make([]int, speakers)
	for i := range all {
		all[i] = i
	}
	book := record.NewBook(k.plan, &scenarios.Scenario{Delivery: scenarios.Every}, transports.WebSocket, spokenRun)
	book.Begin(clock.Now())
	recorder := record.NewRecorder(book, all)
	for range 1001 { // so that a server can have assigned the numbers above
		recorder.Event(0, client.Event{Kind: client.Sending}, clock.Now())
	}
	k.sink.recorder.Store(recorder)
}

// measure reports the CPU time of all threads but this one, for each of the messages of a round.
func (k *costBench) measure(messages int, round func(n int)) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	round(0) // buffers grow
	k.b.ReportAllocs()
	n, spent := 1, -k.others()
	for k.b.Loop() {
		if n%speakerRound == 0 {
			k.renew()
		}
		round(n % speakerRound)
		n++
	}
	k.b.ReportMetric(float64(spent+k.others())/float64(n-1)/float64(messages), "cpu-ns/message")
}

// others is the CPU time of all other threads.
func (k *costBench) others() time.Duration {
	cpu := func(id int32) time.Duration {
		var ts unix.Timespec
		k.must(unix.ClockGettime(id, &ts))
		return time.Duration(ts.Nano())
	}
	return cpu(unix.CLOCK_PROCESS_CPUTIME_ID) - cpu(unix.CLOCK_THREAD_CPUTIME_ID)
}

// BenchmarkDeliver measures the load generator from the bytes in a client's socket to the recorded delivery.
func BenchmarkDeliver(b *testing.B) {
	for _, p := range protocols {
		b.Run(p.name, func(b *testing.B) {
			k, messages := startCost(b, &p, false), p.wire()
			size := speakers * (len(p.message) - 1)
			k.measure(size, func(n int) {
				k.sink.missing.Store(int64(size))
				k.write(k.fds[0], messages[n])
				<-k.sink.begun
				for _, fd := range k.fds[1:] {
					k.write(fd, messages[n])
				}
				k.sink.written <- struct{}{}
				<-k.sink.end
			})
		})
	}
}

// BenchmarkPublish measures the load generator from Publish to the recorded outcome.
func BenchmarkPublish(b *testing.B) {
	for _, p := range protocols {
		if strings.HasPrefix(p.name, "four") {
			continue
		}
		b.Run(p.name, func(b *testing.B) {
			posts := p.transport == transports.SSE
			k := startCost(b, &p, posts)
			data, ack := payload.Append(nil, spokenRun, 7, spokenBytes), []byte(p.ack)
			topic := k.plan.Topics[0]
			started, publish := make(chan struct{}), make(chan struct{})
			go func() {
				defer close(publish)
				for range started {
					for _, s := range k.sessions {
						s.Publish(7, topic, data)
					}
					publish <- struct{}{}
				}
			}()
			defer func() { close(started); <-publish }()
			k.measure(speakers, func(int) {
				k.sink.missing.Store(speakers)
				started <- struct{}{}
				<-publish
				for _, fd := range k.fds {
					k.read(fd)
					k.write(fd, ack)
				}
				<-k.sink.end
			})
		})
	}
}

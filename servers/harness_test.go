package servers_test

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"pushbench/scenarios/transports"
	"pushbench/servers/httpstream"
	"pushbench/servers/hub"
	"pushbench/servers/longpoll"
	"pushbench/servers/shortpoll"
	"pushbench/servers/sse"
	"pushbench/servers/webhook"
	"pushbench/servers/websocket"
	"pushbench/servers/wire"
)

// TestMain ignores two goroutines that fasthttp starts once per process: its clock, and
// the cleaner of a worker pool, which checks every ten seconds whether to end.
func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m,
		goleak.IgnoreAnyFunction("github.com/valyala/fasthttp.updateServerDate.func1"),
		goleak.IgnoreAnyFunction("github.com/valyala/fasthttp.(*workerPool).Start.func2"))
}

// testTimeout is how long a test waits for an expected event.
const testTimeout = 30 * time.Second

// An edge is a transport's server and the parts that its subscribers need.
type edge struct {
	start func(*wire.Service) *wire.Edge
	path  string                   // the subscription endpoint
	next  func(*subscriber) []byte // reads the next batch
}

var edges = map[string]edge{
	transports.ShortPoll:  {shortpoll.New, "/v1/poll", (*subscriber).nextPoll},
	transports.LongPoll:   {longpoll.New, "/v1/poll", (*subscriber).nextPoll},
	transports.SSE:        {sse.New, "/v1/sse", (*subscriber).nextEvent},
	transports.HTTPStream: {httpstream.New, "/v1/stream", (*subscriber).nextLine},
	transports.WebSocket:  {websocket.New, "/v1/ws", (*subscriber).nextFrame},
	transports.Webhook: {start: func(s *wire.Service) *wire.Edge {
		return webhook.New(s, []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")})
	}},
}

// Transports by trait, as arguments of on.
var (
	clientDialled = withTrait(transports.ClientDials) // webhook has separate tests
	overHTTP      = withTrait(func(t transports.Transport) bool { return !t.ServerDials && !t.Upgrades })
	batched       = withTrait(func(t transports.Transport) bool { return t.Batches }) // their connections wait for messages
	streamed      = withTrait(func(t transports.Transport) bool { return t.Streams })
	chunked       = withTrait(func(t transports.Transport) bool { return t.Streams && !t.Upgrades })
)

func withTrait(trait func(transports.Transport) bool) string {
	return strings.Join(transports.Names[string](trait), " ")
}

// A variant is a transport on a library.
type variant struct {
	transport string
	library   wire.Library
}

// everywhere runs a test once per transport and library.
func everywhere(t *testing.T, test func(t *testing.T, v variant)) {
	t.Helper()
	on(t, clientDialled, test)
}

// on runs a test once per library for some transports.
func on(t *testing.T, names string, test func(t *testing.T, v variant)) {
	t.Helper()
	for _, v := range variants(names) {
		t.Run(v.transport+" on "+string(v.library), func(t *testing.T) { test(t, v) })
	}
}

// inParallel runs a test in parallel for each transport and library. It is for tests that wait and
// that count only events of their own server.
func inParallel(t *testing.T, test func(t *testing.T, v variant)) {
	t.Helper()
	everywhere(t, func(t *testing.T, v variant) {
		t.Parallel()
		test(t, v)
	})
}

func variants(names string) (all []variant) {
	for _, transport := range strings.Fields(names) {
		for _, library := range wire.Libraries {
			all = append(all, variant{transport, library})
		}
	}
	return all
}

// A server is a server under test.
type server struct {
	variant
	addr     string
	service  *wire.Service
	edge     *wire.Edge
	served   chan error
	grace    time.Duration // shutdown must end within it; 0: 5 s, after which it may close connections
	stopping sync.Once
}

// start prepares a service and starts its server.
func start(t testing.TB, v variant, l wire.Limits, o hub.Options, prepare ...func(*wire.Service)) *server {
	t.Helper()
	service, err := wire.New(v.transport, v.library, l, o)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range prepare {
		p(service)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &server{variant: v, addr: ln.Addr().String(), service: service, edge: edges[v.transport].start(service), served: make(chan error, 1)}
	go func() { s.served <- s.edge.Serve(ln) }()
	t.Cleanup(func() { s.stop(t) })
	s.get(t, "/v1/healthz")
	return s
}

// stop shuts down as the command does, and checks that everything ends in time.
func (s *server) stop(t testing.TB) {
	t.Helper()
	s.stopping.Do(func() { s.shutDown(t) })
}

func (s *server) shutDown(t testing.TB) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), cmp.Or(s.grace, 5*time.Second))
	defer cancel()
	if err := s.edge.Shutdown(ctx); err != nil {
		t.Errorf("shutdown: %v", err)
	}
	if s.grace > 0 && ctx.Err() != nil {
		t.Errorf("shutdown took all of its grace period of %s, although no peer delayed it", s.grace)
	}
	if err := <-s.served; err != nil {
		t.Errorf("serve: %v", err)
	}
	s.service.Close()
}

// get fetches a path on a new connection.
func (s *server) get(t testing.TB, path string) []byte {
	t.Helper()
	c := dial(t, s)
	defer c.Close()
	c.send("GET " + path + " HTTP/1.1\r\nHost: " + s.addr + "\r\n\r\n")
	return c.response("GET").body
}

func (s *server) publish(t testing.TB, topic, data string) uint64 {
	t.Helper()
	seq, err := s.service.Publish(topic, []byte(data))
	if err != nil {
		t.Fatal(err)
	}
	return seq
}

// until polls a condition until it is true.
func until(t testing.TB, what string, condition func() bool) {
	t.Helper()
	limit := time.After(testTimeout)
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for !condition() {
		select {
		case <-limit:
			t.Fatalf("not %s within %s", what, testTimeout)
		case <-tick.C:
		}
	}
}

// A peer is a client that sends and receives bytes.
type peer struct {
	net.Conn
	t testing.TB
	s *server
	r *bufio.Reader
}

func dial(t testing.TB, s *server) *peer {
	t.Helper()
	c, err := net.Dial("tcp", s.addr)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.SetDeadline(time.Now().Add(testTimeout)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return &peer{Conn: c, t: t, s: s, r: bufio.NewReader(c)}
}

func (p *peer) send(text string) {
	p.t.Helper()
	if _, err := io.WriteString(p, text); err != nil {
		p.t.Fatal(err)
	}
}

// request sends a GET of a path with extra header lines.
func (p *peer) request(path string, headers ...string) {
	p.t.Helper()
	p.send("GET " + path + " HTTP/1.1\r\nHost: " + p.s.addr + "\r\n" + strings.Join(headers, "") + "\r\n")
}

// A response has the headers as sent, and the body.
type response struct {
	status int
	header string
	body   []byte
}

// response reads a response with a Content-Length, or without a body.
func (p *peer) response(method string) response {
	p.t.Helper()
	a, err := readResponse(p.r, method)
	if err != nil {
		p.t.Fatal(err)
	}
	return a
}

func readResponse(r *bufio.Reader, method string) (a response, err error) {
	a.header, err = readHeader(r)
	if err != nil {
		return a, err
	}
	fields := strings.Fields(a.header)
	if len(fields) < 2 {
		return a, fmt.Errorf("no status line: %q", a.header)
	}
	if a.status, err = strconv.Atoi(fields[1]); err != nil {
		return a, err
	}
	length := 0
	if _, rest, found := strings.Cut(a.header, "Content-Length: "); found && method != "HEAD" {
		digits, _, _ := strings.Cut(rest, "\r\n")
		if length, err = strconv.Atoi(digits); err != nil {
			return a, err
		}
	}
	a.body = make([]byte, length)
	_, err = io.ReadFull(r, a.body)
	return a, err
}

func readHeader(r *bufio.Reader) (string, error) {
	var header strings.Builder
	for {
		line, err := r.ReadString('\n')
		header.WriteString(line)
		if err != nil || line == "\r\n" {
			return header.String(), err
		}
	}
}

// readToEnd reads until the connection is closed and returns the remaining bytes.
func (p *peer) readToEnd() string {
	p.t.Helper()
	rest, err := io.ReadAll(p.r)
	var network net.Error
	if errors.As(err, &network) && network.Timeout() {
		p.t.Fatalf("the connection is still open; received %q", rest)
	}
	return string(rest)
}

// A batch is a batch as PROTOCOL.md defines it.
type batch struct {
	Cursor   string            `json:"cursor"`
	Messages []json.RawMessage `json:"messages"`
	Gap      []gap             `json:"gap"`
	Heads    map[string]uint64 `json:"heads"`
}

type gap struct {
	Topic string  `json:"topic"`
	From  uint64  `json:"from"`
	To    *uint64 `json:"to"`
}

func (b batch) text() string {
	var all []string
	for _, m := range b.Messages {
		all = append(all, string(m))
	}
	return strings.Join(all, " ")
}

// gaps writes gaps as "a:1-5", with "?" for null.
func (b batch) gaps() string {
	var all []string
	for _, g := range b.Gap {
		to := "?"
		if g.To != nil {
			to = fmt.Sprint(*g.To)
		}
		all = append(all, fmt.Sprintf("%s:%d-%s", g.Topic, g.From, to))
	}
	return strings.Join(all, " ")
}

func parseBatch(t testing.TB, body []byte) batch {
	t.Helper()
	var b batch
	if err := json.Unmarshal(body, &b); err != nil {
		t.Fatalf("%v in %q", err, body)
	}
	return b
}

// A subscriber follows topics over any transport.
type subscriber struct {
	*peer
	query  string // without a cursor
	cursor string
	first  bool // no poll has been sent, or no stream headers read
}

// subscribe opens a connection and subscribes; without a cursor, from now.
func subscribe(t testing.TB, s *server, query, after string) *subscriber {
	t.Helper()
	c := &subscriber{peer: dial(t, s), query: query, cursor: after, first: true}
	if after != "" {
		query += "&after=" + after
	}
	if transports.Of(s.transport).Streams {
		c.request(edges[s.transport].path+"?"+query, openingHeaders(s.transport))
	}
	return c
}

// openingHeaders returns the headers that a request needs to open a subscription.
func openingHeaders(transport string) string {
	if transports.Of(transport).Upgrades {
		return handshake
	}
	return ""
}

const handshake = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"

// next waits for the next batch.
func (c *subscriber) next() batch {
	c.t.Helper()
	b := parseBatch(c.t, edges[c.s.transport].next(c))
	c.cursor = b.Cursor
	return b
}

// nextPoll polls until a response has a batch.
func (c *subscriber) nextPoll() []byte {
	c.t.Helper()
	for {
		c.poll()
		if a := c.response("GET"); a.status != 204 {
			if a.status != 200 {
				c.t.Fatalf("poll: %s%s", a.header, a.body)
			}
			return a.body
		}
	}
}

// poll sends a poll, on long polling with a timeout.
func (c *subscriber) poll() {
	c.t.Helper()
	path := "/v1/poll?" + c.query
	if c.cursor != "" {
		path += "&after=" + c.cursor
	}
	if c.s.transport == "longpoll" {
		path += "&wait=5s"
	}
	c.request(path)
}

func (c *subscriber) readFirst(wantStatus string) {
	c.t.Helper()
	if !c.first {
		return
	}
	c.first = false
	header, err := readHeader(c.r)
	if err != nil || !strings.HasPrefix(header, "HTTP/1.1 "+wantStatus) {
		c.t.Fatalf("got headers %q, %v, want status %s", header, err, wantStatus)
	}
}

// nextEvent reads one chunk, which must be one event, and checks its id.
func (c *subscriber) nextEvent() []byte {
	c.t.Helper()
	c.readFirst("200")
	chunk := readChunk(c.t, c.r)
	id, rest, ok1 := strings.Cut(strings.TrimPrefix(string(chunk), "id: "), "\ndata: ")
	data, end, ok2 := strings.Cut(rest, "\n\n")
	if !ok1 || !ok2 || end != "" || parseBatch(c.t, []byte(data)).Cursor != id {
		c.t.Fatalf("not an event: %q", chunk)
	}
	return []byte(data)
}

// nextLine reads one chunk, which must be one line.
func (c *subscriber) nextLine() []byte {
	c.t.Helper()
	c.readFirst("200")
	chunk := readChunk(c.t, c.r)
	line, rest, ended := bytes.Cut(chunk, []byte{'\n'})
	if !ended || len(rest) > 0 {
		c.t.Fatalf("not a line: %q", chunk)
	}
	return line
}

func readChunk(t testing.TB, r *bufio.Reader) []byte {
	t.Helper()
	line, err := r.ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	size, err := strconv.ParseUint(strings.TrimSuffix(line, "\r\n"), 16, 32)
	if err != nil {
		t.Fatal(err)
	}
	chunk := make([]byte, size+2)
	if _, err := io.ReadFull(r, chunk); err != nil || !bytes.HasSuffix(chunk, []byte("\r\n")) {
		t.Fatalf("chunk %q: %v", chunk, err)
	}
	return chunk[:size]
}

func (c *subscriber) nextFrame() []byte {
	c.t.Helper()
	c.readFirst("101")
	op, payload := readFrame(c.t, c.r)
	if op != opText {
		c.t.Fatalf("got opcode %d with %q", op, payload)
	}
	return payload
}

// Opcodes of RFC 6455 section 5.2.
const (
	opContinuation = 0
	opText         = 1
	opBinary       = 2
	opClose        = 8
	opPing         = 9
	opPong         = 10
)

func readFrame(t testing.TB, r io.Reader) (op byte, payload []byte) {
	t.Helper()
	op, payload, err := readFrameErr(r)
	if err != nil {
		t.Fatal(err)
	}
	return op, payload
}

func readFrameErr(r io.Reader) (op byte, payload []byte, err error) {
	var header [2]byte
	if _, err := io.ReadFull(r, header[:]); err != nil {
		return 0, nil, err
	}
	length := uint64(header[1])
	switch header[1] {
	case 126:
		var b [2]byte
		_, err = io.ReadFull(r, b[:])
		length = uint64(binary.BigEndian.Uint16(b[:]))
	case 127:
		var b [8]byte
		_, err = io.ReadFull(r, b[:])
		length = binary.BigEndian.Uint64(b[:])
	}
	if err != nil {
		return 0, nil, err
	}
	payload = make([]byte, length)
	_, err = io.ReadFull(r, payload)
	return header[0] & 15, payload, err
}

// frame returns a masked client frame; first is its first byte, FIN included.
func frame(first byte, payload string) string {
	var b []byte
	switch n := len(payload); {
	case n < 126:
		b = []byte{first, 0x80 | byte(n)}
	case n < 1<<16:
		b = binary.BigEndian.AppendUint16([]byte{first, 0x80 | 126}, uint16(n))
	default:
		b = binary.BigEndian.AppendUint64([]byte{first, 0x80 | 127}, uint64(n))
	}
	b = append(b, 0, 0, 0, 0) // a zero mask changes nothing
	return string(b) + payload
}

const fin = 0x80

func stats(t testing.TB, s *server) wire.Stats {
	t.Helper()
	var got wire.Stats
	if err := json.Unmarshal(s.get(t, "/v1/stats"), &got); err != nil {
		t.Fatal(err)
	}
	return got
}

// post publishes over HTTP.
func post(t testing.TB, s *server, topic, data string) response {
	t.Helper()
	c := dial(t, s)
	defer c.Close()
	c.send(fmt.Sprintf("POST /v1/topics/%s HTTP/1.1\r\nHost: %s\r\nContent-Type: text/plain\r\nContent-Length: %d\r\n\r\n%s", topic, s.addr, len(data), data))
	return c.response(http.MethodPost)
}

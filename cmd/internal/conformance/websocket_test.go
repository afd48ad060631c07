//go:build !race || nightly

package conformance

import (
	"bufio"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"pushbench/bench/client/clienttest"
	"pushbench/cmd/internal/inprocess"
	"pushbench/servers/wire"
)

// The public WebSocket test suite: every case as the suite sends it and byte by byte, on every library. By default
// only the short cases: few of group 9, and byte by byte none above 1,000 bytes.
func TestPublicWebSocketSuiteExhaustively(t *testing.T) {
	groups, counts, named := [][]wsCase{}, map[string]int{}, []string{}
	for _, c := range wsCases() {
		if c.deviation != "" {
			named = append(named, c.id+" ("+c.deviation+")")
		}
		group, _, _ := strings.Cut(c.id, ".")
		if counts[group] == 0 {
			groups = append(groups, nil)
		}
		counts[group]++
		groups[len(groups)-1] = append(groups[len(groups)-1], c)
	}
	if want := map[string]int{"1": 16, "2": 11, "3": 7, "4": 10, "5": 20, "6": 145, "7": 37, "9": 54, "10": 1}; fmt.Sprint(counts) != fmt.Sprint(want) { // 301
		t.Fatalf("%v cases by group, the suite has %v", counts, want)
	}
	var tried, passed, deviating atomic.Int64
	t.Run("cases", func(t *testing.T) {
		onLibraries(t, func(t *testing.T, library wire.Library) {
			for _, way := range []string{"as the suite sends it", "byte by byte"} {
				for _, group := range groups {
					t.Run(way, func(t *testing.T) {
						t.Parallel()
						s := inprocess.Start(t, inprocess.Server{Transport: "websocket", Library: library, Limits: wire.Limits{ReadTimeout: time.Minute}})
						for _, c := range group {
							if way == "byte by byte" {
								c.segment = 1
							}
							if !nightly && !c.short() {
								continue
							}
							tried.Add(1)
							if t.Run(c.id, func(t *testing.T) { c.check(t, s.Addr) }) {
								passed.Add(1)
							}
							if c.deviation != "" {
								deviating.Add(1)
							}
						}
					})
				}
			}
		})
	})
	fmt.Printf("conformance: public WebSocket suite: 301 cases in two ways on %d libraries: %d tried, %d passed, of these %d with a deviation: %s\n",
		len(libraries), tried.Load(), passed.Load(), deviating.Load(), strings.Join(named, ", "))
	if len(named) > 3 {
		t.Errorf("%d deviations, want at most 3", len(named))
	}
}

// short reports whether a case belongs to the tests of each change.
func (c wsCase) short() bool {
	size := 0
	for _, f := range c.frames {
		size += len(f)
	}
	switch {
	case c.segment == 1:
		return size < 1000 && c.later == nil
	case c.later != nil:
		return strings.HasSuffix(c.id, ".1") || c.id == "9.1.2" || c.id == "9.1.3"
	}
	return true
}

// A wsOutcome is what a client saw of a case.
type wsOutcome struct {
	pongs, data, refused []string
	acks, close          int
}

func (c wsCase) check(t *testing.T, addr string) {
	if c.later != nil {
		c.frames = c.later()
	}
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(10 * clienttest.Timeout))
	r := bufio.NewReader(conn)
	subscribeRaw(t, conn, r, addr)

	next := make(chan struct{}, len(c.frames)) // one per message that has arrived
	writing := make(chan struct{})
	go func() {
		defer close(writing)
		c.send(conn, next)
	}()
	var got wsOutcome
	expected := func() bool {
		return len(got.pongs) >= len(c.pongs) && len(got.data) >= len(c.data) && got.acks >= len(c.data) && (c.refused == "" || len(got.refused) > 0)
	}
	closed := false // the client has sent a close frame
	for {
		if c.close == 0 && !closed && expected() {
			<-writing
			closed = true
			_, _ = io.WriteString(conn, clientFrame(last|closing, "\x03\xe8"))
		}
		opcode, payload, err := readServerFrame(r)
		if err != nil {
			break
		}
		if opcode != closing {
			before := len(got.data)
			got.add(t, opcode, payload)
			for range len(got.data) - before {
				next <- struct{}{}
			}
			continue
		}
		got.close = withoutCode
		if len(payload) >= 2 {
			got.close = int(binary.BigEndian.Uint16(payload))
		}
		_, _ = io.WriteString(conn, clientFrame(last|closing, string(payload)))
		_ = conn.(*net.TCPConn).CloseWrite()
	}
	conn.Close()
	<-writing
	c.compare(t, got, closed)
}

// send sends the frames; the server may close before it has all.
func (c wsCase) send(conn net.Conn, next <-chan struct{}) {
	frames := []string{strings.Join(c.frames, "")}
	if c.lockstep {
		frames = c.frames
	}
	for i, f := range frames {
		if i > 0 {
			select {
			case <-next:
			case <-time.After(clienttest.Timeout):
				return
			}
		}
		segment := len(f)
		if c.segment > 0 {
			segment = c.segment
		}
		for rest := f; len(rest) > 0; {
			n := min(segment, len(rest))
			if _, err := io.WriteString(conn, rest[:n]); err != nil {
				return
			}
			rest = rest[n:]
		}
	}
}

// compare compares all that was received. Messages that were published before the server closed need not have been delivered.
func (c wsCase) compare(t *testing.T, got wsOutcome, closed bool) {
	want := wsOutcome{pongs: c.pongs, data: c.data, acks: len(c.data), close: c.close}
	if c.refused != "" {
		want.refused = []string{c.refused}
	}
	if closed {
		want.close = 1000
	}
	if c.close != 0 && len(got.data) < len(want.data) && slices.Equal(got.data, want.data[:len(got.data)]) {
		got.data = want.data
	}
	if g, w := fmt.Sprintf("%.200q", fmt.Sprint(got)), fmt.Sprintf("%.200q", fmt.Sprint(want)); fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got %s, want %s", g, w)
	}
}

// add records a frame of the server.
func (o *wsOutcome) add(t *testing.T, opcode byte, payload []byte) {
	if opcode == pong {
		o.pongs = append(o.pongs, string(payload))
		return
	}
	var message struct {
		Ack      *int
		Error    string
		Messages []struct{ Data string }
	}
	if err := json.Unmarshal(payload, &message); opcode != text || err != nil {
		t.Errorf("got opcode %d, %.100q, %v", opcode, payload, err)
	}
	if message.Ack != nil {
		o.acks++
	}
	if message.Error != "" {
		o.refused = append(o.refused, message.Error)
	}
	for _, m := range message.Messages {
		o.data = append(o.data, m.Data)
	}
}

// subscribeRaw opens a WebSocket for topic a and reads the subscribe-ack.
func subscribeRaw(t *testing.T, conn net.Conn, r *bufio.Reader, addr string) {
	t.Helper()
	_, _ = io.WriteString(conn, "GET /v1/ws?topic=a HTTP/1.1\r\nHost: "+addr+"\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"+
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n")
	response, err := http.ReadResponse(r, nil)
	if err != nil || response.StatusCode != http.StatusSwitchingProtocols {
		t.Fatalf("got %v, %v, want 101", response, err)
	}
	if _, payload, err := readServerFrame(r); err != nil || !strings.Contains(string(payload), `"heads":{"a":`) {
		t.Fatalf("got %q, %v, want the subscribe-ack", payload, err)
	}
}

// readServerFrame reads a frame, which must be final, without reserved bits and not masked.
func readServerFrame(r *bufio.Reader) (opcode byte, payload []byte, err error) {
	header := make([]byte, 2, 10)
	if _, err := io.ReadFull(r, header); err != nil {
		return 0, nil, err
	}
	extra := map[byte]int{126: 2, 127: 8}[header[1]]
	header = header[:2+extra]
	if _, err := io.ReadFull(r, header[2:]); err != nil {
		return 0, nil, err
	}
	length := uint64(header[1])
	switch extra {
	case 2:
		length = uint64(binary.BigEndian.Uint16(header[2:]))
	case 8:
		length = binary.BigEndian.Uint64(header[2:])
	}
	if header[0]&0xf0 != 0x80 || header[1]&0x80 != 0 || length > 1<<20 {
		return 0, nil, fmt.Errorf("frame header % x", header)
	}
	payload = make([]byte, length)
	_, err = io.ReadFull(r, payload)
	return header[0] & 15, payload, err
}

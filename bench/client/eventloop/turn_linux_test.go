package eventloop

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"pushbench/bench/client"
	"pushbench/bench/client/clienttest"
	"pushbench/scenarios/transports"
)

// A server that sends small events without end on one connection does not delay those of another: a connection has a
// turn, and then the others have theirs.
func TestConnectionsHaveTurns(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	made, err := New(client.Config{Target: listener.Addr().String(), Transport: transports.SSE, Traffic: new(client.Traffic), Workers: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer made.Close()
	saw := clienttest.NewObserver()
	const text = "data: {\"cursor\":\"e.1\",\"messages\":[]}\n\n"
	event := fmt.Sprintf("%x\r\n%s\r\n", len(text), text)
	var conns []net.Conn
	for i := range 2 {
		s := made.Open(client.Subscription{Client: i, Topics: []string{"a"}}, saw)
		defer s.Close()
		c, err := listener.Accept()
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		if _, err := http.ReadRequest(bufio.NewReader(c)); err != nil {
			t.Fatal(err)
		}
		if _, err := fmt.Fprint(c, "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n", event); err != nil {
			t.Fatal(err)
		}
		saw.Await(t, "a connection", func(calls []clienttest.Call) bool { return len(clienttest.Events(calls, i, client.Connected)) > 0 })
		conns = append(conns, c)
	}
	const flood = 64
	l := made.(*engine).loops[0]
	l.mu.Lock() // both have data when the loop looks
	flooded := make(chan error, 1)
	begun := make(chan struct{})
	go func() {
		block := []byte(strings.Repeat(event, readSize/len(event)))
		for i := range flood {
			if _, err := conns[0].Write(block); err != nil {
				flooded <- err
				return
			}
			if i == 0 {
				close(begun)
			}
		}
		flooded <- nil
	}()
	<-begun
	_, err = fmt.Fprint(conns[1], event)
	l.mu.Unlock()
	if err != nil {
		t.Fatal(err)
	}
	saw.Await(t, "the other client's event", func(calls []clienttest.Call) bool { return len(clienttest.Batches(calls, 1)) == 2 })
	n, batches := 0, 0
	for _, call := range saw.All() {
		switch {
		case call.Batch == nil:
		case call.Client == 0:
			n++
		default:
			batches++
		}
		if batches == 2 {
			break
		}
	}
	if most := 3 * readSize / len(event); n > most {
		t.Errorf("%d events of the other connection came first, want at most %d: those of three turns", n, most)
	}
	if err := <-flooded; err != nil {
		t.Error(err)
	}
}

// A request that was counted and cannot be written is in no part.
func TestUnwrittenRequestIsNotCounted(t *testing.T) {
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(pair[0])
	unix.Close(pair[1])
	traffic := new(client.Traffic)
	made, err := New(client.Config{Target: "127.0.0.1:1", Transport: transports.LongPoll, Traffic: traffic, Workers: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer made.Close()
	request := "GET / HTTP/1.1\r\n\r\n"
	traffic.Requests.Add(1)
	traffic.Up.Headers.Add(int64(len(request)))
	c := conn{loop: made.(*engine).loops[0], fd: pair[0]}
	if err := c.write([]byte(request)); err == nil {
		t.Error("a closed connection accepted a request")
	}
	if w := traffic.Snapshot(); w.Up.Headers != 0 || w.Up.Envelope != 0 || w.Requests != 0 {
		t.Errorf("got %+v and %d requests, want none", w.Up, w.Requests)
	}
}

//go:build nightly

package servers_test

import (
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"pushbench/servers/hub"
	"pushbench/servers/wire"
)

// soakRounds is the number of rounds of a soak. Without clients, the usage after the last is that in the middle.
const soakRounds = 6

// soakCache is how much memory a server may keep: its cache of batches has at most 8 MiB.
const soakCache = 9 << 20

// TestSoak keeps every server on every library busy for the duration in PUSHBENCH_SOAK (make soak): clients come and
// go, read slowly or not at all, reset their connections or send garbage, and idle streams receive heartbeats.
func TestSoak(t *testing.T) {
	whole, err := time.ParseDuration(os.Getenv("PUSHBENCH_SOAK"))
	if err != nil {
		t.Fatalf("PUSHBENCH_SOAK: %v; use make soak", err)
	}
	var servers []*server
	for _, v := range variants(clientDialled) {
		servers = append(servers, start(t, v,
			wire.Limits{ReadTimeout: time.Second, IdleTimeout: 2 * time.Second, SlowAfter: time.Second, Heartbeat: time.Second},
			hub.Options{RingMessages: 64, IdleAfter: time.Second}))
	}
	var clients soakClients
	empty := readUsage()
	t.Logf("%-8s %10s %11s %12s %12s %12s %10s %10s", "round", "heap MiB", "goroutines", "descriptors", "connections", "resets", "messages", "closed")
	var middle, last usage
	for round := range soakRounds {
		clients.run(servers, whole/soakRounds)
		for _, s := range servers {
			until(t, "without connections", func() bool { return s.service.Stats().Open == 0 })
			until(t, "without messages of idle topics", func() bool { _, bytes := s.service.Hub.Buffered(); return bytes < 1<<10 })
		}
		last = readUsage()
		if round == soakRounds/2-1 {
			middle = last
		}
		messages, closed, panics := uint64(0), int64(0), int64(0)
		for _, s := range servers {
			stats := s.service.Stats()
			messages, closed, panics = messages+stats.Published, closed+stats.SlowClosed, panics+stats.Panics
		}
		t.Logf("%-8d %10.2f %11d %12d %12d %12d %10d %10d", round+1, float64(last.heap)/(1<<20), last.goroutines, last.descriptors,
			clients.connections.Load(), clients.resets.Load(), messages, closed)
		if panics > 0 {
			t.Errorf("%d handlers panicked", panics)
		}
	}
	middle.heap = max(middle.heap, empty.heap+soakCache*uint64(len(servers)))
	for _, leak := range leaks(middle, last) {
		t.Error(leak)
	}
}

// soakClients counts what the clients of a soak did.
type soakClients struct{ connections, resets atomic.Int64 }

// run runs clients of all servers for a duration.
func (c *soakClients) run(servers []*server, d time.Duration) {
	const clientsPerServer = 8
	end := time.Now().Add(d)
	var running sync.WaitGroup
	for _, s := range servers {
		running.Go(func() {
			for i := 0; time.Now().Before(end); i++ {
				size := 100
				if i%500 < 200 {
					size = 60_000 // 12 MB in 4 s: more than the buffers of slow clients take
				}
				_, _ = s.service.Publish(fmt.Sprint("t", i%3), []byte(strings.Repeat("x", size)))
				time.Sleep(20 * time.Millisecond)
			}
		})
		for range clientsPerServer {
			running.Go(func() {
				for time.Now().Before(end) {
					c.visit(s)
				}
			})
		}
	}
	running.Wait()
}

// visit is one connection.
func (c *soakClients) visit(s *server) {
	conn, err := net.Dial("tcp", s.addr)
	if err != nil {
		time.Sleep(time.Second) // out of ports or descriptors: the usage shows it
		return
	}
	defer conn.Close()
	c.connections.Add(1)
	stay := time.Duration(rand.IntN(1500)) * time.Millisecond
	_ = conn.SetDeadline(time.Now().Add(stay))
	request := "GET " + edges[s.transport].path + "?topic=t1&topic=t2&topic=" + fmt.Sprint("new", rand.IntN(1000)) + " HTTP/1.1\r\nHost: localhost\r\n"
	switch {
	case s.transport == "websocket":
		request += handshake
	case s.transport == "longpoll":
		request = strings.Replace(request, " HTTP/1.1", "&after="+hub.Cursor{Epoch: s.service.Hub.Epoch(), Number: s.service.Hub.Published()}.String()+"&wait=1s HTTP/1.1", 1)
	}
	_, _ = conn.Write([]byte(request + "\r\n"))
	switch rand.IntN(6) {
	case 0: // does not read
		_ = conn.(*net.TCPConn).SetReadBuffer(4 << 10)
		time.Sleep(4 * time.Second)
	case 1: // sends half a request
		_, _ = conn.Write([]byte("GET /v1/po"))
	case 2: // sends garbage
		_, _ = conn.Write([]byte("\x81\x05hello\x00\xff\r\n\r\n"))
	case 3:
		_ = conn.(*net.TCPConn).CloseWrite()
	}
	buffer := make([]byte, 16<<10)
	for err == nil {
		_, err = conn.Read(buffer)
	}
	if rand.IntN(3) == 0 {
		c.resets.Add(1)
		_ = conn.(*net.TCPConn).SetLinger(0) // closing then sends RST
	}
}

//go:build nightly

package servers_test

import (
	"bufio"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"pushbench/servers/wire"
)

// TestLatencyUnderAttack prints what 1,000 clients notice of two attackers: the time from a publication to its
// arrival. The server has one processor. How large it is depends on the machine; every message must arrive.
func TestLatencyUnderAttack(t *testing.T) {
	for _, row := range []struct {
		variant
		attacks []string
	}{
		{variant{"websocket", wire.Reference}, []string{"", "unmasked bytes", "pongs", "empty fragments", "publications", "requests", "long publishes"}},
		{variant{"websocket", wire.FastHTTP}, []string{"", "unmasked bytes", "pongs", "requests"}},
		{variant{"sse", wire.Reference}, []string{"", "requests", "requests, responses unread", "long publishes", "streams of all that is kept", "connections"}},
		{variant{"sse", wire.NetHTTP}, []string{"", "requests", "long publishes"}},
	} {
		for _, name := range row.attacks {
			t.Run(strings.Join([]string{row.transport, string(row.library), name}, " "), func(t *testing.T) {
				latencies := latenciesUnderAttack(t, row.variant, name)
				at := func(q float64) time.Duration {
					return latencies[int(q*float64(len(latencies)-1))].Round(10 * time.Microsecond)
				}
				t.Logf("%-10s %-10s %-28s p50 %8s  p99 %8s  max %8s", row.transport, row.library, name, at(0.5), at(0.99), at(1))
			})
		}
	}
}

const (
	watchedClients  = 1000
	watchedMessages = 50
	watchedInterval = 100 * time.Millisecond
)

// latenciesUnderAttack returns the latencies of all deliveries, in ascending order.
func latenciesUnderAttack(t *testing.T, v variant, name string) []time.Duration {
	s := startProcess(t, v)
	post(t, s, "long", strings.Repeat("x", 60_000))
	cursor := subscribe(t, s, "topic=a", "").next().Cursor
	var sent [watchedMessages]atomic.Int64
	began := time.Now()
	received := make([][]time.Duration, watchedClients)
	var receiving sync.WaitGroup
	for i, c := range openIdle(t, s, watchedClients, cursor) {
		receiving.Go(func() {
			received[i] = receiveAll(c, func(n int) time.Duration { return time.Since(began) - time.Duration(sent[n].Load()) })
		})
	}
	until(t, "subscribed", func() bool { return stats(t, s).Subscribers > watchedClients })
	var attacking *attackers
	if i := slices.IndexFunc(attacks, func(a attack) bool { return a.name == name }); i >= 0 {
		attacking = launch(attacks[i], s)
		until(t, "attacked", attacking.begun)
	}
	publisher := dial(t, s)
	for i := range sent {
		sent[i].Store(int64(time.Since(began)))
		data := fmt.Sprint("n", i, "n")
		publisher.send(fmt.Sprintf("POST /v1/topics/a HTTP/1.1\r\nHost: %s\r\nContent-Length: %d\r\n\r\n%s", s.addr, len(data), data))
		if a := publisher.response("POST"); a.status != 200 {
			t.Fatalf("publication %d: %q", i, a.header)
		}
		time.Sleep(watchedInterval) // the load of a usual client, not a wait for something
	}
	receiving.Wait()
	if attacking != nil {
		attacking.end()
	}
	all := slices.Concat(received...)
	if want := watchedClients * watchedMessages; len(all) != want {
		t.Errorf("%s on %s, %s: %d deliveries, want %d", v.transport, v.library, name, len(all), want)
	}
	slices.Sort(all)
	return all
}

// receiveAll reads the messages of latenciesUnderAttack and returns the latency of each.
func receiveAll(c net.Conn, latency func(n int) time.Duration) (all []time.Duration) {
	_ = c.SetReadDeadline(time.Now().Add(2 * testTimeout))
	r := bufio.NewReaderSize(c, 4096)
	for len(all) < watchedMessages {
		piece, err := r.ReadString('}') // the end of a message, or of a batch
		if err != nil {
			break
		}
		_, data, found := strings.Cut(piece, `"data":"n`)
		digits, _, _ := strings.Cut(data, "n")
		if n, err := strconv.Atoi(digits); found && err == nil {
			all = append(all, latency(n))
		}
	}
	return all
}

package servers_test

import (
	"strings"
	"testing"

	"pushbench/servers/faults"
	"pushbench/servers/hub"
	"pushbench/servers/sock/socktest"
	"pushbench/servers/wire"
)

// By the kernel's count a batch is one segment: a write into an empty connection with TCP_NODELAY is
// one segment on loopback, whose MTU is 64 KiB. net/http's buffers are 2 and 4 KiB.
func TestEachBatchIsOneSegment(t *testing.T) {
	everywhere(t, func(t *testing.T, v variant) {
		s := start(t, v, wire.Limits{}, hub.Options{})
		c := subscribe(t, s, "topic=a", "")
		c.next()
		for _, size := range []int{1, 1_000, 2_000, 2_100, 3_400, 3_500, 3_600, 4_000, 4_096, 20_000} {
			before := socktest.DataSegments(t, c.Conn)
			s.publish(t, "a", strings.Repeat("x", size))
			c.next()
			if n := socktest.DataSegments(t, c.Conn) - before; n != 1 {
				t.Errorf("a batch with %d bytes of payload arrived in %d segments, want 1", size, n)
			}
		}
	})
}

// With the injected fault nagle the sockets report that TCP_NODELAY is off, and every batch arrives.
func TestNagleIsInjectedOnEverySocket(t *testing.T) {
	everywhere(t, func(t *testing.T, v variant) {
		s := start(t, v, wire.Limits{}, hub.Options{}, func(s *wire.Service) { s.Inject(faults.Faults{Nagle: true}) })
		c := subscribe(t, s, "topic=a", "")
		c.next()
		s.publish(t, "a", "whole")
		if batch := c.next(); !strings.Contains(batch.text(), `"whole"`) {
			t.Errorf("got %+v", batch)
		}
		if stats := string(s.get(t, "/v1/stats")); !strings.Contains(stats, `"nodelay":false`) {
			t.Errorf("stats do not report nodelay false: %s", stats)
		}
	})
}

package servers_test

import (
	"net"
	"runtime"
	"testing"

	"pushbench/servers/hub"
	"pushbench/servers/wire"
)

// BenchmarkFanOut measures a message to 1,024 clients, from its publication until the
// write to the last client. Its cost includes the readers, which are in the same process.
func BenchmarkFanOut(b *testing.B) {
	const clients = 1024
	for _, v := range variants(streamed) {
		b.Run(v.transport+" on "+string(v.library), func(b *testing.B) {
			s := start(b, v, wire.Limits{}, hub.Options{})
			cursor := subscribe(b, s, "topic=a", "").next().Cursor
			for _, c := range openIdle(b, s, clients, cursor) {
				go discard(c)
			}
			until(b, "all subscribed", func() bool { return s.service.Count.Subscribers.Load() >= clients })
			written := &s.service.Count.Batches
			b.ReportAllocs()
			for b.Loop() {
				want := written.Load() + clients
				s.publish(b, "a", "sixty-four bytes of payload, more or less, as chats are made of.")
				for written.Load() < want {
					runtime.Gosched() // the readers need the processors
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/clients, "ns/delivery")
		})
	}
}

func discard(c net.Conn) {
	buffer := make([]byte, 4096)
	for {
		if _, err := c.Read(buffer); err != nil {
			return
		}
	}
}

package servers_test

import (
	"strings"
	"testing"

	"pushbench/servers/hub"
	"pushbench/servers/wire"
)

// BenchmarkRead measures what a client sends: polls, and publications on a WebSocket, eight at a time.
// Its cost includes the client, which is in the same process.
func BenchmarkRead(b *testing.B) {
	const together = 8
	for _, v := range variants("shortpoll websocket") {
		b.Run(v.transport+" on "+string(v.library), func(b *testing.B) {
			s := start(b, v, wire.Limits{}, hub.Options{})
			c := subscribe(b, s, "topic=none", "")
			request := "GET /v1/poll?topic=a HTTP/1.1\r\nHost: " + s.addr + "\r\n\r\n"
			if v.transport == "websocket" {
				c.next() // the subscribe-ack
				request = frame(fin|opText, `{"id":1,"topic":"a","data":"`+strings.Repeat("x", 128)+`"}`)
			}
			all := strings.Repeat(request, together)
			b.ReportAllocs()
			for b.Loop() {
				c.send(all)
				for range together {
					if v.transport == "websocket" {
						c.nextFrame()
					} else {
						c.response("GET")
					}
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/together, "ns/request")
		})
	}
}

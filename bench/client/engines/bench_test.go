package engines

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"

	"pushbench/bench/client"
	"pushbench/bench/clock"
	"pushbench/scenarios"
	"pushbench/scenarios/transports"
)

// A counter is a sink that signals each message and each outcome of a publication.
type counter chan struct{}

func (c counter) Deliver(_ int, b *client.Batch, _ clock.Instant) {
	if len(b.Messages) > 0 {
		c <- struct{}{}
	}
}

func (c counter) Event(_ int, e client.Event, _ clock.Instant) {
	if e.Kind == client.Acked || e.Kind == client.Failed || e.Kind == client.Dropped {
		c <- struct{}{}
	}
}

// serve runs a server of one connection at a time until the benchmark ends.
func serve(b *testing.B, one func(c net.Conn, in *bufio.Reader)) (address string) {
	ln := listen(b)
	go func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			one(c, bufio.NewReader(c))
			c.Close()
		}
	}()
	return ln.Addr().String()
}

// onEngine opens a session and returns it with its sink.
func onEngine(b *testing.B, engine string, config client.Config, sub client.Subscription) (client.Session, counter) {
	config.Workers, config.Traffic = 1, new(client.Traffic)
	e, err := New(engine, config)
	if err != nil {
		b.Fatal(err)
	}
	sink := make(counter, 16)
	s := e.Open(sub, sink)
	b.Cleanup(func() {
		s.Close()
		e.Close()
	})
	return s, sink
}

// BenchmarkDeliver measures from a server's write to the sink, for a message of 128 bytes
// to a subscribed client.
func BenchmarkDeliver(b *testing.B) {
	batch := `{"cursor":"e.2","messages":[{"topic":"a","seq":1,"data":"` + strings.Repeat("x", 128) + `"}]}`
	for _, engine := range Names() {
		for _, transport := range transports.Names[scenarios.Transport](func(t transports.Transport) bool { return t.Batches }) {
			b.Run(engine+"/"+string(transport), func(b *testing.B) {
				write := make(chan struct{})
				address := serve(b, func(c net.Conn, in *bufio.Reader) {
					r, err := http.ReadRequest(in)
					if err != nil {
						return
					}
					message := []byte(framed(transport, batch))
					fmt.Fprint(c, subscribeAck(transport, r))
					for range write {
						if transport == transports.LongPoll && !skipHeader(in) {
							return
						}
						_, _ = c.Write(message)
					}
				})
				_, sink := onEngine(b, engine, client.Config{Target: address, Transport: transport}, client.Subscription{Topics: []string{"a"}})
				defer close(write)
				deliver := func() {
					write <- struct{}{}
					<-sink
				}
				deliver() // buffers grow
				b.ReportAllocs()
				for b.Loop() {
					deliver()
				}
			})
		}
	}
}

// skipHeader reads to an empty line.
func skipHeader(in *bufio.Reader) bool {
	for {
		line, err := in.ReadSlice('\n')
		if err != nil {
			return false
		}
		if len(line) <= len("\r\n") {
			return true
		}
	}
}

// BenchmarkPublish measures from Publish to the outcome, by POST.
func BenchmarkPublish(b *testing.B) {
	for _, engine := range Names() {
		b.Run(engine, func(b *testing.B) {
			ack := []byte(response("200 OK", "application/json", `{"seq":7}`))
			address := serve(b, func(c net.Conn, in *bufio.Reader) {
				for skipHeader(in) {
					if _, err := in.Discard(128); err != nil {
						return
					}
					_, _ = c.Write(ack)
				}
			})
			s, sink := onEngine(b, engine, client.Config{Target: address, Transport: transports.SSE}, client.Subscription{})
			payload := []byte(strings.Repeat("x", 128))
			publish := func() {
				s.Publish(1, "a", payload)
				<-sink
			}
			publish()
			b.ReportAllocs()
			for b.Loop() {
				publish()
			}
		})
	}
}

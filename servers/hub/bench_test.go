package hub

import (
	"fmt"
	"testing"
)

func BenchmarkPublish(b *testing.B) {
	for _, subscribers := range []int{0, 10_000} {
		b.Run(fmt.Sprintf("subscribers=%d", subscribers), func(b *testing.B) {
			h := open(b, Options{})
			s := mustSet(b, h, "a")
			for range subscribers {
				h.Subscribe(s, make(wakeChan)) // not armed: the benchmark measures the publisher's side
			}
			data := make([]byte, 128)
			for i := range data {
				data[i] = 'x'
			}
			b.ReportAllocs()
			for b.Loop() {
				_, _ = h.Publish("a", data)
			}
		})
	}
}

func BenchmarkSince(b *testing.B) {
	for _, topics := range []int{1, 16} {
		b.Run(fmt.Sprintf("topics=%d", topics), func(b *testing.B) {
			h := open(b, Options{})
			var names []string
			for i := range topics {
				names = append(names, fmt.Sprint("topic", i))
			}
			s := mustSet(b, h, names...)
			c, _ := h.Start(s)
			for _, name := range names {
				mustPublish(b, h, name, "some data of a usual length")
			}
			b.ReportAllocs()
			for b.Loop() {
				_, _ = h.Since(c, s, Every)
			}
		})
	}
}

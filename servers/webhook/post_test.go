package webhook

import (
	"context"
	"errors"
	"net"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

func TestDialsAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var running, most atomic.Int64
		d := bounded(func(ctx context.Context, _, _ string) (net.Conn, error) {
			most.Store(max(most.Load(), running.Add(1)))
			defer running.Add(-1)
			time.Sleep(dialTimeout) // a host that never answers
			return nil, errors.New("no answer")
		}, 2)
		ctx, cancel := context.WithTimeout(t.Context(), postTimeout)
		defer cancel()
		outcomes := make(chan error, 10)
		for range cap(outcomes) {
			go func() {
				_, err := d(ctx, "tcp", "192.0.2.1:80")
				outcomes <- err
			}()
		}
		waited := 0
		for range cap(outcomes) {
			if errors.Is(<-outcomes, context.DeadlineExceeded) {
				waited++
			}
		}
		if most.Load() != 2 || waited != 4 { // in 5 s three rounds of two dials begin
			t.Errorf("%d dials at a time and %d that only waited, want 2 and 4", most.Load(), waited)
		}
	})
}

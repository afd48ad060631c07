package goroutine

import (
	"context"
	"testing"

	"pushbench/bench/client"
)

// A dial that the session's end interrupts may have reached the server: it is counted
// separately from successful and failed dials.
func TestAbandonedDialsAreCountedSeparately(t *testing.T) {
	ln := listen(t)
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	for _, c := range []struct {
		name             string
		ctx              context.Context
		dials, abandoned int64
	}{
		{"successful", t.Context(), 1, 0},
		{"abandoned", ended, 0, 1},
	} {
		var traffic client.Traffic
		conn, err := dial(c.ctx, &client.Config{Target: ln.Addr().String(), Traffic: &traffic}, new(client.Distance))
		if (err == nil) != (c.dials == 1) {
			t.Errorf("%s: %v", c.name, err)
		}
		if err == nil {
			conn.Close()
		}
		if got := traffic.Snapshot().Dials; got != c.dials || traffic.Abandoned.Load() != c.abandoned {
			t.Errorf("%s: %d dials, %d abandoned; want %d, %d", c.name, got, traffic.Abandoned.Load(), c.dials, c.abandoned)
		}
	}
	ln.Close()
	var traffic client.Traffic
	if _, err := dial(t.Context(), &client.Config{Target: ln.Addr().String(), Traffic: &traffic}, new(client.Distance)); err == nil || traffic.Abandoned.Load() != 0 || traffic.Snapshot().Dials != 0 {
		t.Errorf("refused: %v, %d dials, %d abandoned; want an error and neither", err, traffic.Snapshot().Dials, traffic.Abandoned.Load())
	}
}

package webhook

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"pushbench/scenarios/transports"
	"pushbench/servers/hub"
	"pushbench/servers/wire"
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

// A context that is never cancelled stays with its parent, for as long as the server runs.
func TestEndedWebhookCancelsItsContext(t *testing.T) {
	service, err := wire.New(transports.Webhook, wire.Reference, wire.Limits{}, hub.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer service.Close()
	set, err := service.Hub.Set([]string{"a"})
	if err != nil {
		t.Fatal(err)
	}
	hooks := Enable(service, []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")})
	defer hooks.Close()
	const url = "http://127.0.0.1:9/"
	if _, err := hooks.register(url, &wire.Subscribe{Set: set, FromNow: true}); err != nil {
		t.Fatal(err)
	}
	hooks.mu.Lock()
	k := hooks.hooks[url]
	var cancelled atomic.Bool
	cancel := k.cancel
	k.cancel = func() { cancelled.Store(true); cancel() }
	hooks.mu.Unlock()
	hooks.remove(k)
	if !cancelled.Load() {
		t.Error("the context of an ended webhook lasts")
	}
}

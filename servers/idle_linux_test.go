//go:build linux && !portable

package servers_test

import (
	"runtime"
	"testing"

	"pushbench/scenarios/transports"
	"pushbench/servers/hub"
	"pushbench/servers/wire"
)

// Elsewhere each connection that waits has a goroutine.
func TestIdleClientsUseNoGoroutine(t *testing.T) {
	const clients = 2000
	on(t, withTrait(func(t transports.Transport) bool { return t.Batches && !t.Upgrades }), func(t *testing.T, v variant) {
		s := start(t, v, wire.Limits{}, hub.Options{})
		cursor := subscribe(t, s, "topic=a", "").next().Cursor
		until(t, "idle", func() bool { return stats(t, s).Open <= 2 })
		before := runtime.NumGoroutine()
		conns := openIdle(t, s, clients, cursor)
		until(t, "all subscribed", func() bool { return s.service.Count.Subscribers.Load() >= clients })
		until(t, "without goroutines", func() bool { return runtime.NumGoroutine() <= before+50 })
		s.publish(t, "a", "wake up")
		for _, c := range conns {
			awaitMessage(t, c)
		}
	})
}

package engines

import (
	"crypto/tls"
	"slices"
	"strings"
	"testing"

	"pushbench/bench/client"
	"pushbench/scenarios"
	"pushbench/scenarios/transports"
)

// Every transport and TLS have an engine on every system. An engine without a required
// feature is neither chosen nor created.
func TestChooseReturnsAnEngineThatSupportsTheRun(t *testing.T) {
	for _, c := range []struct {
		name       string
		transports []scenarios.Transport
		secured    bool
		want       string // or a part of the error
	}{
		{"", scenarios.ClientOpened, false, Names()[0]},
		{"", scenarios.AllTransports, false, Goroutine},
		{"", scenarios.ClientOpened, true, Goroutine},
		{Goroutine, scenarios.AllTransports, true, Goroutine},
		{"threads", scenarios.ClientOpened, false, `"threads" is not one of ` + strings.Join(Names(), ", ")},
		{EventLoop, scenarios.ClientOpened, true, "does not support TLS, which this scenario uses; allowed: goroutines"},
		{EventLoop, scenarios.AllTransports, false, "does not receive webhooks, which this scenario uses; allowed: goroutines"},
	} {
		if c.name == EventLoop && !slices.Contains(Names(), EventLoop) {
			c.want = "is not one of goroutines"
		}
		got, err := Choose(c.name, c.transports, c.secured)
		if got != c.want && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%q for %v, TLS %v: got %q, %v; want %q", c.name, c.transports, c.secured, got, err, c.want)
		}
	}
	for _, config := range []client.Config{{Transport: transports.Webhook}, {Transport: transports.SSE, TLS: new(tls.Config)}} {
		if _, err := New(EventLoop, config); err == nil {
			t.Errorf("%s, TLS %v: created an event loop engine, want an error", config.Transport, config.TLS != nil)
		}
	}
}

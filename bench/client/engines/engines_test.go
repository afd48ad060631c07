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

// Every transport and TLS have an engine on every system, and one that lacks something
// is neither chosen nor made for it.
func TestChoose(t *testing.T) {
	for _, row := range []struct {
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
		{EventLoop, scenarios.ClientOpened, true, "speaks no TLS, which this scenario has; allowed: goroutines"},
		{EventLoop, scenarios.AllTransports, false, "receives no webhooks, which this scenario has; allowed: goroutines"},
	} {
		if row.name == EventLoop && !slices.Contains(Names(), EventLoop) {
			row.want = "is not one of goroutines"
		}
		got, err := Choose(row.name, row.transports, row.secured)
		if got != row.want && (err == nil || !strings.Contains(err.Error(), row.want)) {
			t.Errorf("%q for %v, TLS %v: got %q, %v; want %q", row.name, row.transports, row.secured, got, err, row.want)
		}
	}
	for _, config := range []client.Config{{Transport: transports.Webhook}, {Transport: transports.SSE, TLS: new(tls.Config)}} {
		if _, err := New(EventLoop, config); err == nil {
			t.Errorf("%s, TLS %v: made on event loops, want an error", config.Transport, config.TLS != nil)
		}
	}
}

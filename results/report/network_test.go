package report

import (
	"strings"
	"testing"
	"time"

	"pushbench/results"
)

// The scope names the network and one core for both roles, and the sentences about it name what the network leaves out.
func TestScopeNamesNetwork(t *testing.T) {
	const ms = time.Millisecond
	for _, c := range []struct {
		manifest  results.Manifest
		want, not string
	}{
		{results.Manifest{Network: results.Loopback}, "loopback", "loss and congestion"},
		{results.Manifest{Network: results.OtherHost}, "another host", "several machines"},
		{results.Manifest{Network: results.OtherHost}, "another host", "round trip"},
		{results.Manifest{Network: results.Agents}, "several agents", "round trip"},
		{results.Manifest{Pinning: results.Pinning{Note: results.OneCore}}, "server and load generator share one core", "no pinning"},
		{results.Manifest{}, "no pinning", "one core"},
		{results.Manifest{Network: results.StreamLink, RTT: 20 * ms}, "a round trip of 20 ms (stream)", "loopback"},
		{results.Manifest{Network: results.StreamLink, RTT: 20 * ms, Jitter: 2 * ms}, "a round trip of 20 ms with up to 2 ms of jitter each way (stream)", "loopback"},
		{results.Manifest{Network: results.StreamLink, LineRate: 1e6}, "no added round trip at 1,000 kB/s per connection (stream)", ", loopback"},
	} {
		got := scope(c.manifest) + " " + list(notMeasured(c.manifest))
		if !strings.Contains(got, c.want) || strings.Contains(got, c.not) {
			t.Errorf("%q, want %q in it and not %q", got, c.want, c.not)
		}
		if link := c.manifest.Network == results.StreamLink; strings.Contains(got, "loss and congestion") != link {
			t.Errorf("%q: states that loss and congestion were not measured: %v, want %v", got, !link, link)
		}
	}
}

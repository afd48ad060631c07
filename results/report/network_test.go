package report

import (
	"strings"
	"testing"
	"time"

	"pushbench/results"
)

// An answer says how far the clients were, and what such a distance leaves out.
func TestSentencesOfANetwork(t *testing.T) {
	const ms = time.Millisecond
	for _, c := range []struct {
		manifest  results.Manifest
		want, not string
	}{
		{results.Manifest{Network: results.Loopback}, "loopback", "loss and congestion"},
		{results.Manifest{Network: results.StreamLink, RTT: 20 * ms}, "a round trip of 20 ms (stream)", "loopback"},
		{results.Manifest{Network: results.StreamLink, RTT: 20 * ms, Jitter: 2 * ms}, "a round trip of 20 ms and up to 2 ms more each way (stream)", "loopback"},
		{results.Manifest{Network: results.StreamLink, LineRate: 1e6}, "B, no round trip at 1,000 kB/s a connection (stream)", "B, loopback"},
	} {
		got := holdsFor(c.manifest) + " " + notMeasured(c.manifest)
		if !strings.Contains(got, c.want) || strings.Contains(got, c.not) {
			t.Errorf("%q, want it to say %q and not %q", got, c.want, c.not)
		}
		if link := c.manifest.Network == results.StreamLink; strings.Contains(got, "loss and congestion") != link {
			t.Errorf("%q: says that loss and congestion were not measured: %v, want %v", got, !link, link)
		}
	}
}

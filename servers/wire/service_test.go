package wire

import (
	"testing"

	"pushbench/scenarios/transports"
)

func TestEveryTransportHasAPath(t *testing.T) {
	for _, transport := range transports.All() {
		subs, ok := subscriptions[transport.Name]
		if !ok || (subs.path == "") != transport.ServerDials {
			t.Errorf("%s has path %q (%v), and the server dials: %v", transport.Name, subs.path, ok, transport.ServerDials)
		}
	}
	if len(subscriptions) != len(transports.All()) {
		t.Errorf("%d subscriptions for %d transports", len(subscriptions), len(transports.All()))
	}
}

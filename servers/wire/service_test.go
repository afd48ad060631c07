package wire

import (
	"testing"

	"pushbench/scenarios/transports"
)

func TestEveryTransportHasAPath(t *testing.T) {
	for _, transport := range transports.All() {
		path, ok := paths[transport.Name]
		if !ok || (path == "") != transport.ServerDials {
			t.Errorf("%s has path %q (%v), and the server dials: %v", transport.Name, path, ok, transport.ServerDials)
		}
	}
	if len(paths) != len(transports.All()) {
		t.Errorf("%d paths for %d transports", len(paths), len(transports.All()))
	}
}

package edges

import (
	"testing"

	"pushbench/scenarios/transports"
)

func TestEveryTransportHasAnEdge(t *testing.T) {
	for _, transport := range transports.All() {
		if New[transport.Name] == nil {
			t.Errorf("no constructor for %s", transport.Name)
		}
	}
	if len(New) != len(transports.All()) {
		t.Errorf("%d constructors for %d transports", len(New), len(transports.All()))
	}
}

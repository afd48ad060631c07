package chart

import (
	"testing"

	"pushbench/scenarios/transports"
)

func TestEveryTransportHasALook(t *testing.T) {
	for _, transport := range transports.All() {
		if looks[transport.Name].glyph == nil {
			t.Errorf("no look for %s", transport.Name)
		}
	}
	if len(looks) != len(transports.All()) {
		t.Errorf("%d looks for %d transports", len(looks), len(transports.All()))
	}
}

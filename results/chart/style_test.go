package chart

import (
	"testing"

	"pushbench/scenarios/transports"
)

func TestEveryTransportHasAStyle(t *testing.T) {
	for _, transport := range transports.All() {
		if looks[transport.Name].glyph().Shape == nil {
			t.Errorf("no style for %s", transport.Name)
		}
	}
	if len(looks) != len(transports.All()) {
		t.Errorf("%d styles for %d transports", len(looks), len(transports.All()))
	}
}

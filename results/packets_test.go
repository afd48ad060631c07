package results

import "testing"

func TestPacketBytesCountHeadersAndHandshakes(t *testing.T) {
	wire := Wire{Up: Direction{Bytes: 1000, Segments: 10}, Down: Direction{Bytes: 9000, Segments: 30}, Dials: 5}
	trial := Trial{Cost: Cost{Delivered: 100, Wire: wire}}
	if got, want := packetBytes(trial), (Value{X: (1000 + 9000 + 40*52 + 5*16) / 100.0}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	trial.Cost.Wire.Up.Segments = 0
	if got := packetBytes(trial); got.Known != NotShown {
		t.Errorf("without segments: got %+v, want it not shown", got)
	}
}

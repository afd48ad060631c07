package summary_test

import (
	"testing"

	"pushbench/results"
	"pushbench/results/metric"
	"pushbench/results/summary"
)

func TestPacketBytesCountHeadersAndHandshakes(t *testing.T) {
	wire := results.Wire{Up: results.Direction{Bytes: 1000, Segments: 10}, Down: results.Direction{Bytes: 9000, Segments: 30}, Dials: 5}
	trial := results.Trial{Cost: results.Cost{Delivered: 100, Wire: wire}}
	if got, want := summary.Measure(metric.PacketBytesPerMessage, trial), (summary.Value{X: (1000 + 9000 + 40*52 + 5*16) / 100.0}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	trial.Cost.Wire.Up.Segments = 0
	if got := summary.Measure(metric.PacketBytesPerMessage, trial); got.Known != summary.NotShown {
		t.Errorf("without segments: got %+v, want it not shown", got)
	}
}

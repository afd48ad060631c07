package trial

import (
	"testing"

	"pushbench/bench/generator"
	"pushbench/bench/host"
)

// A quick rig leaves out the watch of idle cores, says so, and still measures a ceiling.
func TestQuickRigSaysWhatItLeavesOut(t *testing.T) {
	thorough, hasty := &Setup{}, &Setup{Quick: true, Monitor: &host.Monitor{}} // a monitor that cannot answer
	if said := thorough.Conditions(); len(said) != 1 || thorough.gaugeTime() != generator.GaugeTime {
		t.Errorf("%q, a ceiling in %v; want one condition, %v", said, thorough.gaugeTime(), generator.GaugeTime)
	}
	const want = "quick: idle cores were not watched before and after the run; the generator's ceiling was measured for 100 ms"
	if said := hasty.Conditions(); len(said) != 2 || said[1] != want {
		t.Errorf("%q, want %q", said, want)
	}
	if found, err := hasty.IdleStalls(t.Context()); err != nil || found != "" {
		t.Errorf("watched: %q, %v", found, err)
	}
}

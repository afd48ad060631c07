package bench

import (
	"slices"
	"testing"
)

// A pairing keeps the settings of the run's first trial, and of the first of each transport.
func TestPairingKeepsTheFirstSettings(t *testing.T) {
	var p pairing
	p.note("sse", nil) // aborted
	if p.first != nil {
		t.Error("a trial without settings became the reference for the others")
	}
	p.note("sse", map[string]string{"server batching_delay_ns": "0", "server gogc": "100"})
	p.note("websocket", map[string]string{"server batching_delay_ns": "5000000", "server gogc": "100"})
	p.note("sse", map[string]string{"server batching_delay_ns": "7", "server gogc": "7"})
	if p.first["server gogc"] != "100" || p.before["sse"]["server batching_delay_ns"] != "0" || p.before["websocket"]["server batching_delay_ns"] != "5000000" {
		t.Errorf("got %+v", p)
	}
	want := []string{"servers differ on purpose in batching_delay_ns: sse 0, websocket 5000000"}
	if got := p.conditions(); !slices.Equal(got, want) {
		t.Errorf("conditions %q, want %q", got, want)
	}
}

// A server that is not pushbench's reports no settings: those of the others are not compared with it.
func TestPairingLeavesOutServersWithoutSettings(t *testing.T) {
	var p pairing
	p.note("websocket target=nchan", map[string]string{"generator gogc": "100", "host kernel": "6.1"})
	p.note("websocket target=reference", map[string]string{"server library": "nethttp", "generator gogc": "100"})
	p.note("sse target=reference", map[string]string{"server library": "nethttp", "generator gogc": "100"})
	if p.first["server library"] != "nethttp" || p.before["websocket target=nchan"] == nil {
		t.Errorf("got %+v", p)
	}
	if got := p.conditions(); len(got) > 0 {
		t.Errorf("conditions %q, want none", got)
	}
}

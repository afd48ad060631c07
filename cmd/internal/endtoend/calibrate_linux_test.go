package endtoend

import (
	"fmt"
	"strings"
	"testing"

	"pushbench/bench/calibrate"
	"pushbench/bench/client/engines"
	"pushbench/scenarios"
)

// serving starts servers of ours where they are told to listen.
func serving() calibrate.ServeCommand {
	return func(transport scenarios.Transport, listen string, secured bool) []string {
		return []string{pushbench, "serve", string(transport), "--control", "--listen", listen, "--listen-anywhere", fmt.Sprintf("--tls=%t", secured)}
	}
}

// passes holds that every row is right, and shows them all.
func passes(t *testing.T, rows []calibrate.Row) {
	t.Helper()
	var table strings.Builder
	if err := calibrate.RowTable(&table, rows); err != nil {
		t.Fatal(err)
	}
	t.Log("\n" + table.String())
	for _, r := range rows {
		if !r.Pass() {
			t.Errorf("%s: %v %s, want %v ± %v", r.What, r.Measured, r.Unit, r.Theory, r.Tolerance)
		}
	}
}

func wireTable(t *testing.T, accounts []calibrate.WireAccount) {
	t.Helper()
	var table strings.Builder
	if err := calibrate.WireTable(&table, accounts); err != nil {
		t.Fatal(err)
	}
	t.Log("\n" + table.String())
}

// The bytes that we count are those that TCP counts. The other engine's are held so every
// night; here they are held against a relay by package conformance.
func TestWireBytesAreTCPs(t *testing.T) { wireBytes(t, engines.Names()[0]) }

func wireBytes(t *testing.T, engine string) {
	accounts, err := calibrate.Wire(t.Context(), engine, serving())
	if err != nil {
		t.Fatal(err)
	}
	passes(t, calibrate.WireRows(accounts))
}

// With the headers that we say it adds, they are what an interface counts.
func TestWireBytesAreAnInterfacesAsRoot(t *testing.T) {
	accounts, err := calibrate.WireOnInterface(t.Context(), engines.Names()[0], serving())
	if err != nil {
		t.Fatal(err)
	}
	wireTable(t, accounts)
	passes(t, calibrate.WireRows(accounts))
}

func TestCPUIsWhatAProcessBurns(t *testing.T) {
	rows, err := calibrate.CPU(t.Context(), []string{pushbench, "stub"})
	if err != nil {
		t.Fatal(err)
	}
	passes(t, rows)
}

func TestMemoryIsWhatAProcessTouches(t *testing.T) {
	rows, err := calibrate.Memory(t.Context(), []string{pushbench, "stub"})
	if err != nil {
		t.Fatal(err)
	}
	passes(t, rows)
}

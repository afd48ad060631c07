package endtoend

import (
	"fmt"
	"io"
	"strings"
	"testing"
	"text/tabwriter"

	"pushbench/bench/calibrate"
	"pushbench/bench/client/engines"
	"pushbench/results/metric"
	"pushbench/scenarios"
)

// serving returns the command that starts a server of pushbench at a given address.
func serving() calibrate.ServeCommand {
	return func(transport scenarios.Transport, listen string, secured bool) []string {
		return []string{pushbench, "serve", string(transport), "--control", "--listen", listen, "--listen-anywhere", fmt.Sprintf("--tls=%t", secured)}
	}
}

// requirePass logs all rows and fails the test for each row outside its tolerance.
func requirePass(t *testing.T, rows []calibrate.Result) {
	t.Helper()
	var table strings.Builder
	if err := rowTable(&table, rows); err != nil {
		t.Fatal(err)
	}
	t.Log("\n" + table.String())
	for _, r := range rows {
		if !r.Pass() {
			t.Errorf("%s: %v %s, want %v ± %v", r.What, r.Measured, r.Unit, r.Expected, r.Tolerance)
		}
	}
}

// rowTable writes one row per line.
func rowTable(w io.Writer, rows []calibrate.Result) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "what\texpected\tmeasured\tallowed difference\tunit\t")
	for _, r := range rows {
		outcome := "ok"
		if !r.Pass() {
			outcome = "WRONG"
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t± %s\t%s\t%s\n", r.What, metric.Number(r.Expected), metric.Number(r.Measured), metric.Number(r.Tolerance), r.Unit, outcome)
	}
	return t.Flush()
}

func TestRowTableMarksFailedRows(t *testing.T) {
	var b strings.Builder
	rows := []calibrate.Result{{What: "length", Unit: "m", Expected: 1, Measured: 1}, {What: "weight", Unit: "kg", Expected: 1, Measured: 2}}
	if err := rowTable(&b, rows); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(b.String(), "\n")
	if !strings.HasSuffix(lines[1], "ok") || !strings.HasSuffix(lines[2], "WRONG") {
		t.Errorf("got\n%s\nwant a line that ends in ok and one in WRONG", b.String())
	}
}

// The client's byte counts must match those of TCP. The other engine's are compared with TCP in the
// nightly tests; package conformance compares them with a relay.
func TestBytesMatchTCP(t *testing.T) { wireBytes(t, engines.Names()[0]) }

func wireBytes(t *testing.T, engine string) {
	accounts, err := calibrate.Wire(t.Context(), engine, serving())
	if err != nil {
		t.Fatal(err)
	}
	requirePass(t, calibrate.WireRows(accounts))
}

func TestCPUMatchesKnownLoad(t *testing.T) {
	rows, err := calibrate.CPU(t.Context(), []string{pushbench, "stub"})
	if err != nil {
		t.Fatal(err)
	}
	requirePass(t, rows)
}

func TestMemoryMatchesKnownUse(t *testing.T) {
	rows, err := calibrate.Memory(t.Context(), []string{pushbench, "stub"})
	if err != nil {
		t.Fatal(err)
	}
	requirePass(t, rows)
}

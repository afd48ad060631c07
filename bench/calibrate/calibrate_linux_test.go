package calibrate

import (
	"bytes"
	"math"
	"strings"
	"testing"

	"pushbench/bench/child"
)

func TestRowsJudge(t *testing.T) {
	for _, c := range []struct {
		row  Result
		pass bool
	}{
		{Result{Expected: 100, Measured: 100}, true},
		{Result{Expected: 100, Measured: 101}, false},
		{Result{Expected: 100, Measured: 101, Tolerance: percent(1, 100)}, true},
		{Result{Expected: 100, Measured: 98.9, Tolerance: percent(1, 100)}, false},
		{Result{Expected: -100, Measured: -101, Tolerance: percent(1, -100)}, true},
		{Result{Expected: 100, Measured: math.NaN(), Tolerance: 1}, false},
		{Result{Expected: math.NaN(), Measured: 1, Tolerance: 1}, false},
	} {
		if got := c.row.Pass(); got != c.pass {
			t.Errorf("%+v: passes %v, want %v", c.row, got, c.pass)
		}
	}
}

func TestWireRowsTripOnWhatIsMissing(t *testing.T) {
	for name, c := range map[string]struct {
		spoil func(*WireAccount)
		fails int
	}{
		"nothing":                         {func(*WireAccount) {}, 0},
		"a byte up that we did not count": {func(a *WireAccount) { a.Whole.TCP.Up.Bytes++ }, 1},
		"a byte down that we did":         {func(a *WireAccount) { a.Whole.Ours.Down.Bytes++ }, 1},
	} {
		span := WireSpan{Messages: 1}
		span.Ours.Up.Bytes, span.Ours.Down.Bytes = 100, 200
		span.TCP.Up.Bytes, span.TCP.Down.Bytes = 100, 200
		a := WireAccount{Name: "pigeon", Window: span, Whole: span}
		c.spoil(&a)
		fails := 0
		rows := WireRows([]WireAccount{a})
		for _, r := range rows {
			if !r.Pass() {
				fails++
			}
		}
		if fails != c.fails || len(rows) != 2 {
			t.Errorf("%s: %d of %d rows fail, want %d of 2", name, fails, len(rows), c.fails)
		}
	}
}

func TestStubAccountsForWhatItBurns(t *testing.T) {
	var out bytes.Buffer
	orders := `{"burn_ns":0}` + "\n" + `{"burn_ns":20000000}` + "\n"
	if err := Stub(strings.NewReader(orders), &out); err != nil {
		t.Fatal(err)
	}
	var accounts []stubAccount
	if err := child.ReadLines(&out, func(a stubAccount) error { accounts = append(accounts, a); return nil }); err != nil {
		t.Fatal(err)
	}
	if len(accounts) != 2 || accounts[1].CPU-accounts[0].CPU < 20e6 {
		t.Errorf("accounts %+v, want two, 20 ms or more apart", accounts)
	}
}

func TestStubRefusesWhatItCannotDo(t *testing.T) {
	for _, order := range []string{`{"burn_ns":-1}`, `{"touch_bytes":-4096}`, `{"touch_bytes":100}`, `burn`} {
		if err := Stub(strings.NewReader(order), new(bytes.Buffer)); err == nil {
			t.Errorf("%s: no error", order)
		}
	}
}

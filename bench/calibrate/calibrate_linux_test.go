package calibrate

import (
	"bytes"
	"math"
	"strings"
	"testing"

	"pushbench/bench/child"
)

func TestRowPassesWithinItsTolerance(t *testing.T) {
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

func TestWireRowsFailOnADifferenceOfOneByte(t *testing.T) {
	for name, c := range map[string]struct {
		corrupt func(*WireAccount)
		fails   int
	}{
		"no difference":                        {func(*WireAccount) {}, 0},
		"a byte up that clients did not count": {func(a *WireAccount) { a.Whole.TCP.Up.Bytes++ }, 1},
		"a byte down that TCP did not count":   {func(a *WireAccount) { a.Whole.Counted.Down.Bytes++ }, 1},
	} {
		span := WireSpan{Messages: 1}
		span.Counted.Up.Bytes, span.Counted.Down.Bytes = 100, 200
		span.TCP.Up.Bytes, span.TCP.Down.Bytes = 100, 200
		a := WireAccount{Name: "test", Window: span, Whole: span}
		c.corrupt(&a)
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

func TestStubReportsItsCPUTime(t *testing.T) {
	var out bytes.Buffer
	requests := `{"burn_ns":0}` + "\n" + `{"burn_ns":20000000}` + "\n"
	if err := Stub(strings.NewReader(requests), &out); err != nil {
		t.Fatal(err)
	}
	var accounts []stubAccount
	if err := child.ReadLines(&out, func(a stubAccount) error { accounts = append(accounts, a); return nil }); err != nil {
		t.Fatal(err)
	}
	if len(accounts) != 2 || accounts[1].CPU-accounts[0].CPU < 20e6 {
		t.Errorf("accounts %+v, want two that differ by at least 20 ms", accounts)
	}
}

func TestStubRefusesInvalidRequests(t *testing.T) {
	for _, request := range []string{`{"burn_ns":-1}`, `{"touch_bytes":-4096}`, `{"touch_bytes":100}`, `burn`} {
		if err := Stub(strings.NewReader(request), new(bytes.Buffer)); err == nil {
			t.Errorf("%s: no error", request)
		}
	}
}

package calibrate

import (
	"bytes"
	"math"
	"strings"
	"testing"

	"pushbench/bench/child"
	"pushbench/bench/client"
	"pushbench/bench/lab"
	"pushbench/results"
)

func TestRowsJudge(t *testing.T) {
	for _, c := range []struct {
		row  Row
		pass bool
	}{
		{Row{Theory: 100, Measured: 100}, true},
		{Row{Theory: 100, Measured: 101}, false},
		{Row{Theory: 100, Measured: 101, Tolerance: percent(1, 100)}, true},
		{Row{Theory: 100, Measured: 98.9, Tolerance: percent(1, 100)}, false},
		{Row{Theory: -100, Measured: -101, Tolerance: percent(1, -100)}, true},
		{Row{Theory: 100, Measured: math.NaN(), Tolerance: 1}, false},
		{Row{Theory: math.NaN(), Measured: 1, Tolerance: 1}, false},
	} {
		if got := c.row.Pass(); got != c.pass {
			t.Errorf("%+v: passes %v, want %v", c.row, got, c.pass)
		}
	}
}

func TestRowTableNamesWhatIsWrong(t *testing.T) {
	var b strings.Builder
	rows := []Row{{What: "length", Unit: "m", Theory: 1, Measured: 1}, {What: "weight", Unit: "kg", Theory: 1, Measured: 2}}
	if err := RowTable(&b, rows); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(b.String(), "\n")
	if !strings.HasSuffix(lines[1], "ok") || !strings.HasSuffix(lines[2], "WRONG") {
		t.Errorf("got\n%s\nwant a line that ends in ok and one in WRONG", b.String())
	}
}

// account is an exchange of one message that everybody counts alike.
func account() WireAccount {
	span := WireSpan{Messages: 1}
	span.Ours.Up, span.Ours.Down = results.Direction{Bytes: 100, Segments: 3}, results.Direction{Bytes: 200, Segments: 2}
	span.Ours.Dials = 1
	span.TCP = client.TCP{Up: client.TCPDirection{Bytes: 100, Segments: 3}, Down: client.TCPDirection{Bytes: 200, Segments: 2}}
	span.Interface.Up = lab.Direction{Bytes: 100 + 3*66 + 8, Packets: 3}
	span.Interface.Down = lab.Direction{Bytes: 200 + 2*66 + 8, Packets: 2}
	return WireAccount{Name: "pigeon", Window: span, Whole: span, Observed: true}
}

func TestWireRowsTripOnWhatIsMissing(t *testing.T) {
	for name, c := range map[string]struct {
		spoil func(*WireAccount)
		fails int
	}{
		"nothing":                          {func(*WireAccount) {}, 0},
		"a byte up that we did not count":  {func(a *WireAccount) { a.Whole.TCP.Up.Bytes++ }, 1},
		"a byte down that we did":          {func(a *WireAccount) { a.Whole.Ours.Down.Bytes++ }, 1},
		"a segment that nobody told us of": {func(a *WireAccount) { a.Window.Interface.Up.Bytes += 66; a.Window.Interface.Up.Packets++ }, 1},
		"a handshake":                      {func(a *WireAccount) { a.Window.Ours.Dials = 0 }, 1},
	} {
		a := account()
		c.spoil(&a)
		fails := 0
		for _, r := range WireRows([]WireAccount{a}) {
			if !r.Pass() {
				fails++
			}
		}
		if fails != c.fails {
			t.Errorf("%s: %d rows fail, want %d", name, fails, c.fails)
		}
	}
	a := account()
	a.Observed = false
	if got := len(WireRows([]WireAccount{a})); got != 2 {
		t.Errorf("without an interface: %d rows, want the 2 of TCP_INFO", got)
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

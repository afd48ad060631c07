package endtoend

import (
	"fmt"
	"io"
	"strings"
	"testing"
	"text/tabwriter"

	"pushbench/bench/calibrate"
	"pushbench/bench/client"
	"pushbench/bench/client/engines"
	"pushbench/results"
	"pushbench/results/metric"
	"pushbench/results/summary"
)

// With the headers that we say it adds, our count of bytes is what an interface counts: each
// exchange is made with the server in a network namespace of its own.
//
// What TCP sends twice the interface counts twice, and nobody at the clients' end
// knows of it. There is nothing to lose on such a link, but a machine that is busy
// can be late with an acknowledgement; such an exchange is made again.
func TestWireBytesAreAnInterfacesAsRoot(t *testing.T) {
	var accounts []calibrate.WireAccount
	for _, way := range calibrate.Variants(engines.Names()[0]) {
		const attempts = 5
		account, again := exchangeOnInterface(t, way)
		for n := 1; again && n < attempts; n++ {
			account, again = exchangeOnInterface(t, way)
		}
		if again {
			t.Fatalf("exchange over %s: TCP sent some segments again: the machine is too busy to compare with an interface", way)
		}
		accounts = append(accounts, account)
	}
	var table strings.Builder
	if err := wireTable(&table, accounts); err != nil {
		t.Fatal(err)
	}
	t.Log("\n" + table.String())
	passes(t, calibrate.WireRows(accounts))
	passes(t, interfaceRows(accounts))
}

func exchangeOnInterface(t *testing.T, way calibrate.Variant) (account calibrate.WireAccount, again bool) {
	t.Helper()
	link := newLink(t)
	defer link.close(t)
	account, err := calibrate.Exchange(t.Context(), engines.Names()[0], serving(), way, &calibrate.Network{
		Host: link.theirs.Addr().String(), Inside: link.path.Far.Inside, Counters: link.counters,
	})
	if err != nil {
		t.Fatal(err)
	}
	resent, err := link.resent()
	if err != nil {
		t.Fatal(err)
	}
	return account, resent+account.Whole.TCP.Up.Retransmitted > 0
}

// A wireSpan is compared with what the interface counted in it.
type wireSpan calibrate.WireSpan

// interfaceRows compare within 1 % what each delivered message puts on the wire, headers of
// TCP and IP included, by the metric that a report prints.
func interfaceRows(accounts []calibrate.WireAccount) (rows []calibrate.Result) {
	for _, a := range accounts {
		rows = append(rows, wireSpan(a.Window).row(a.Name), wireSpan(a.Whole).row(a.Name+", whole"))
	}
	return rows
}

func (s wireSpan) row(name string) calibrate.Result {
	known := s.onInterface() - s.ethernet()
	measured := summary.Measure(metric.PacketBytesPerMessage, results.Trial{Cost: results.Cost{Delivered: s.Messages, Wire: s.Counted}})
	return calibrate.Result{What: name + ": bytes on an interface", Unit: "B/msg", Expected: known, Measured: measured.X, Tolerance: known / 100}
}

func (s wireSpan) each(n int64) float64 { return float64(n) / float64(s.Messages) }

// onInterface is what the interface counted for each message.
func (s wireSpan) onInterface() float64 { return s.each(s.Interface.Up.Bytes + s.Interface.Down.Bytes) }

// ethernetHeader is what an interface counts of each frame beside the IP packet, in bytes.
const ethernetHeader = 14

// ethernet is what of it is Ethernet's.
func (s wireSpan) ethernet() float64 {
	return s.each(ethernetHeader * (s.Interface.Up.Packets + s.Interface.Down.Packets))
}

// wireTable writes what each message put on the wire by each count, and what
// stands between them: headers and handshakes.
func wireTable(w io.Writer, accounts []calibrate.WireAccount) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "B/msg\tpayload\tenvelope\tframing\tHTTP headers\tours\tTCP_INFO\tTCP/IP headers\thandshakes\tEthernet\tsum\tinterface\tdifference\t")
	for _, a := range accounts {
		for _, part := range []struct {
			name string
			span wireSpan
		}{{"connected", wireSpan(a.Window)}, {"whole", wireSpan(a.Whole)}} {
			fmt.Fprintf(t, "%s: %s\t", a.Name, part.name)
			part.span.write(t)
		}
	}
	return t.Flush()
}

func (s wireSpan) write(w io.Writer) {
	up, down := s.Counted.Up, s.Counted.Down
	headers := s.each(summary.SegmentHeader * (up.Segments + down.Segments))
	handshakes := s.each(summary.HandshakeOptions * s.Counted.Dials)
	sum := s.each(s.Counted.Bytes()) + headers + handshakes + s.ethernet()
	for _, n := range []int64{up.Payload + down.Payload, up.Envelope + down.Envelope, up.Framing + down.Framing, up.Headers + down.Headers, s.Counted.Bytes(), s.TCP.Up.Bytes + s.TCP.Down.Bytes} {
		fmt.Fprintf(w, "%.1f\t", s.each(n))
	}
	known := s.onInterface()
	fmt.Fprintf(w, "%.1f\t%.1f\t%.1f\t%.1f\t%.1f\t%+.2f %%\t\n", headers, handshakes, s.ethernet(), sum, known, 100*(sum-known)/known)
}

// agreed is an exchange of one message that all count alike.
func agreed() calibrate.WireAccount {
	span := calibrate.WireSpan{Messages: 1}
	span.Counted.Up, span.Counted.Down = results.Direction{Bytes: 100, Segments: 3}, results.Direction{Bytes: 200, Segments: 2}
	span.Counted.Dials = 1
	span.TCP = client.TCP{Up: client.TCPDirection{Bytes: 100, Segments: 3}, Down: client.TCPDirection{Bytes: 200, Segments: 2}}
	span.Interface.Up = calibrate.Frames{Bytes: 100 + 3*66 + 8, Packets: 3}
	span.Interface.Down = calibrate.Frames{Bytes: 200 + 2*66 + 8, Packets: 2}
	return calibrate.WireAccount{Name: "pigeon", Window: span, Whole: span}
}

func TestInterfaceRowsTripOnWhatIsMissing(t *testing.T) {
	for name, c := range map[string]struct {
		spoil func(*calibrate.WireAccount)
		fails int
	}{
		"nothing":                         {func(*calibrate.WireAccount) {}, 0},
		"a segment that was not reported": {func(a *calibrate.WireAccount) { a.Window.Interface.Up.Bytes += 66; a.Window.Interface.Up.Packets++ }, 1},
		"a handshake":                     {func(a *calibrate.WireAccount) { a.Window.Counted.Dials = 0 }, 1},
	} {
		a := agreed()
		c.spoil(&a)
		fails := 0
		for _, r := range interfaceRows([]calibrate.WireAccount{a}) {
			if !r.Pass() {
				fails++
			}
		}
		if fails != c.fails {
			t.Errorf("%s: %d rows fail, want %d", name, fails, c.fails)
		}
	}
}

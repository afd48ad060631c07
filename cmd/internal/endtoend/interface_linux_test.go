package endtoend

import (
	"fmt"
	"io"
	"strings"
	"testing"
	"text/tabwriter"
	"time"

	"pushbench/bench/calibrate"
	"pushbench/bench/client"
	"pushbench/bench/client/engines"
	"pushbench/results"
	"pushbench/results/metric"
	"pushbench/results/summary"
)

// The client's byte count plus the reported headers must match the count of a network interface:
// each exchange uses a server in its own network namespace.
//
// The interface counts TCP retransmissions, which the clients
// cannot see. No segment is lost on such a link, but on a busy machine
// an acknowledgement can be late; such an exchange is repeated.
func TestBytesMatchInterfaceAsRoot(t *testing.T) {
	var accounts []calibrate.WireAccount
	for _, way := range calibrate.Variants(engines.Names()[0]) {
		const attempts = 5
		account, repeat := exchangeOnInterface(t, way)
		for n := 1; repeat && n < attempts; n++ {
			account, repeat = exchangeOnInterface(t, way)
		}
		if repeat {
			t.Fatalf("exchange over %s: TCP retransmitted segments: the machine is too busy to compare with an interface", way)
		}
		accounts = append(accounts, account)
	}
	var table strings.Builder
	if err := wireTable(&table, accounts); err != nil {
		t.Fatal(err)
	}
	t.Log("\n" + table.String())
	requirePass(t, calibrate.WireRows(accounts))
	requirePass(t, interfaceRows(accounts))
}

func exchangeOnInterface(t *testing.T, way calibrate.Variant) (account calibrate.WireAccount, repeat bool) {
	t.Helper()
	link := newLink(t)
	defer link.close(t)
	account, err := calibrate.Exchange(t.Context(), engines.Names()[0], serving(), way, &calibrate.Network{
		Host: link.farPrefix.Addr().String(), Inside: link.path.Far.Inside, Counters: link.counters,
	})
	if err != nil {
		t.Fatal(err)
	}
	retransmitted, err := link.retransmitted()
	if err != nil {
		t.Fatal(err)
	}
	return account, retransmitted+account.Whole.TCP.Up.Retransmitted > 0
}

// A wireSpan is compared with the interface's counts.
type wireSpan calibrate.WireSpan

// interfaceRows compare the bytes on the wire per delivered message within 1 %, headers of
// TCP and IP included, by the metric that a report prints.
func interfaceRows(accounts []calibrate.WireAccount) (rows []calibrate.Result) {
	for _, a := range accounts {
		for _, part := range []struct {
			name string
			span wireSpan
		}{{a.Name, wireSpan(a.Window)}, {a.Name + ", whole", wireSpan(a.Whole)}} {
			rows = append(rows, part.span.row(part.name), part.span.egressRow(part.name))
		}
	}
	return rows
}

func (s wireSpan) row(name string) calibrate.Result {
	known := s.onInterface() - s.ethernet()
	measured := summary.Measure(metric.PacketBytesPerMessage, results.Trial{Cost: results.Cost{Delivered: s.Messages, Wire: s.Counted}})
	return calibrate.Result{What: name + ": bytes on an interface", Unit: "B/msg", Expected: known, Measured: measured.X, Tolerance: known / 100}
}

// egressRow compares the bytes that a price counts as egress.
func (s wireSpan) egressRow(name string) calibrate.Result {
	known := s.each(s.Interface.Down.Bytes - ethernetHeader*s.Interface.Down.Packets)
	second := results.Trial{Cost: results.Cost{Span: time.Second, Wire: s.Counted}}
	return calibrate.Result{What: name + ": egress on an interface", Unit: "B/msg", Expected: known, Measured: summary.UsageOf(second).Egress / float64(s.Messages), Tolerance: known / 100}
}

func (s wireSpan) each(n int64) float64 { return float64(n) / float64(s.Messages) }

// onInterface returns the interface's bytes per message.
func (s wireSpan) onInterface() float64 { return s.each(s.Interface.Up.Bytes + s.Interface.Down.Bytes) }

// ethernetHeader is what an interface counts per frame in addition to the IP packet, in bytes.
const ethernetHeader = 14

// ethernet returns the part of Ethernet headers in it.
func (s wireSpan) ethernet() float64 {
	return s.each(ethernetHeader * (s.Interface.Up.Packets + s.Interface.Down.Packets))
}

// wireTable writes the bytes on the wire per message by each count, and the
// differences between the counts: headers and handshakes.
func wireTable(w io.Writer, accounts []calibrate.WireAccount) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "B/msg\tpayload\tenvelope\tframing\tHTTP headers\tclient\tTCP_INFO\tTCP/IP headers\thandshakes\tEthernet\tsum\tinterface\tdifference\t")
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

// consistentAccount returns an exchange of one message with equal counts.
func consistentAccount() calibrate.WireAccount {
	span := calibrate.WireSpan{Messages: 1}
	span.Counted.Up, span.Counted.Down = results.Direction{Bytes: 100, Segments: 3}, results.Direction{Bytes: 200, Segments: 2}
	span.Counted.Dials = 1
	span.TCP = client.TCP{Up: client.TCPDirection{Bytes: 100, Segments: 3}, Down: client.TCPDirection{Bytes: 200, Segments: 2}}
	span.Interface.Up = calibrate.Frames{Bytes: 100 + 3*66 + 8, Packets: 3}
	span.Interface.Down = calibrate.Frames{Bytes: 200 + 2*66 + 8, Packets: 2}
	return calibrate.WireAccount{Name: "pigeon", Window: span, Whole: span}
}

func TestInterfaceRowsDetectMissingBytes(t *testing.T) {
	for name, c := range map[string]struct {
		corrupt func(*calibrate.WireAccount)
		fails   int
	}{
		"nothing":                         {func(*calibrate.WireAccount) {}, 0},
		"a segment that was not reported": {func(a *calibrate.WireAccount) { a.Window.Interface.Up.Bytes += 66; a.Window.Interface.Up.Packets++ }, 1},
		"a segment to the clients":        {func(a *calibrate.WireAccount) { a.Window.Interface.Down.Bytes += 66; a.Window.Interface.Down.Packets++ }, 2}, // bytes and egress
		"a handshake":                     {func(a *calibrate.WireAccount) { a.Window.Counted.Dials = 0 }, 2},
	} {
		a := consistentAccount()
		c.corrupt(&a)
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

package lab

import (
	"net"
	"testing"

	"pushbench/results"
)

func TestInterfaceCountsEveryFrameAsRoot(t *testing.T) {
	link, err := NewLink()
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := link.Close(); err != nil {
			t.Error(err)
		}
	}()
	var there net.PacketConn
	err = link.Inside(func() (err error) {
		there, err = net.ListenPacket("udp4", net.JoinHostPort(link.Theirs.String(), "0"))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	defer there.Close()
	before, err := link.Counters()
	if err != nil {
		t.Fatal(err)
	}
	sizes := []int{1, 100, 1400}
	exchange(t, there, sizes)
	after, err := link.Counters()
	if err != nil {
		t.Fatal(err)
	}
	const headers = EthernetHeader + 20 + 8 // IPv4, UDP
	want := Direction{Bytes: 1 + 100 + 1400 + 3*headers, Packets: 3}
	if got := results.Minus(after, before); got.Up != want || got.Down != want {
		t.Errorf("counted %+v, want %+v both ways", got, want)
	}
	if resent, err := link.Resent(); resent != 0 || err != nil {
		t.Errorf("%d segments of TCP sent again (%v), want none without any TCP", resent, err)
	}
}

// exchange sends datagrams into the namespace and the same back.
func exchange(t *testing.T, there net.PacketConn, sizes []int) {
	t.Helper()
	here, err := net.Dial("udp4", there.LocalAddr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer here.Close()
	room := make([]byte, 2000)
	for _, size := range sizes {
		if _, err := here.Write(make([]byte, size)); err != nil {
			t.Fatal(err)
		}
		n, from, err := there.ReadFrom(room)
		if err != nil || n != size {
			t.Fatalf("%d bytes came in (%v), want %d", n, err, size)
		}
		if _, err := there.WriteTo(room[:n], from); err != nil {
			t.Fatal(err)
		}
		if n, err := here.Read(room); err != nil || n != size {
			t.Fatalf("%d bytes came back (%v), want %d", n, err, size)
		}
	}
}

func TestEndsOfLinksDiffer(t *testing.T) {
	seen := map[string]bool{}
	for n := range 1 << 15 {
		ours, theirs := ends(n)
		if !ours.Contains(theirs.Addr()) || seen[ours.Masked().String()] {
			t.Fatalf("link %d: %v and %v: not one network, or one of before", n, ours, theirs)
		}
		seen[ours.Masked().String()] = true
	}
	if ours, theirs := ends(1 << 15); ours.String() != "198.18.0.1/30" || theirs.String() != "198.18.0.2/30" {
		t.Errorf("after the last come %v and %v, want the first again", ours, theirs)
	}
}

func TestCounterIsFoundByItsName(t *testing.T) {
	const listing = "Ip: Forwarding RetransSegs\nIp: 1 2\nTcp: InSegs OutSegs RetransSegs\nTcp: 10 20 30\nUdp: InErrors\n"
	if got, err := counter(listing, "Tcp", "RetransSegs"); got != 30 || err != nil {
		t.Errorf("got %d (%v), want 30", got, err)
	}
	for _, missing := range []string{"", "Tcp: InSegs\nTcp: 10\n", "Tcp: InSegs RetransSegs\nTcp: 10\n", "Tcp: InSegs RetransSegs\nTcp: 10 many\n"} {
		if _, err := counter(missing, "Tcp", "RetransSegs"); err == nil {
			t.Errorf("%q: no error", missing)
		}
	}
}

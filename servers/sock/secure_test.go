package sock

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"math/big"
	"net"
	"testing"
	"time"
)

// newCertificate makes a self-signed certificate without a name.
func newCertificate(t *testing.T) tls.Certificate {
	t.Helper()
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, public, private)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: private}
}

// securePair returns a pair with TLS: the server's end, and the peer's end above and below TLS.
func securePair(t *testing.T, stallAfter time.Duration) (*Conn, *tls.Conn, *rawPeer) {
	t.Helper()
	c, peer, _ := pair(t, stallAfter)
	c.secure = newSecure(c, &tls.Config{
		Certificates: []tls.Certificate{newCertificate(t)}, MinVersion: tls.VersionTLS13,
		SessionTicketsDisabled: true, DynamicRecordSizingDisabled: true,
	})
	b := &rawPeer{Conn: peer}
	return c, tls.Client(b, &tls.Config{InsecureSkipVerify: true}), b
}

// handshake makes the TLS handshake by sending a byte.
func handshake(t *testing.T, c *Conn, client *tls.Conn) {
	t.Helper()
	sent := make(chan error, 1)
	go func() {
		_, err := client.Write([]byte{'!'})
		sent <- err
	}()
	var p [8]byte
	if n, err := c.Read(p[:]); n != 1 || p[0] != '!' || err != nil {
		t.Fatalf("read %d bytes, %v; want the first", n, err)
	}
	if err := <-sent; err != nil {
		t.Fatal(err)
	}
}

// A read must return all records that have arrived: the poller does not report them again.
func TestSecureReadReturnsAllRecords(t *testing.T) {
	c, client, _ := securePair(t, time.Minute)
	handshake(t, c, client)
	var want []byte
	for i := range 40 { // each in its own record
		part := bytes.Repeat([]byte{byte('a' + i%26)}, 100)
		want = append(want, part...)
		if _, err := client.Write(part); err != nil {
			t.Fatal(err)
		}
	}
	var got []byte
	p := make([]byte, 7)
	for len(got) < len(want) {
		n, err := c.Read(p) // waits for records in transit
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, p[:n]...)
		for c.Buffered() > 0 {
			n, err := c.ReadNow(p)
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, p[:n]...)
		}
	}
	if !bytes.Equal(got, want) {
		t.Errorf("got %d bytes, want the %d that were sent", len(got), len(want))
	}
}

// A rawPeer is the peer's end below TLS, which can hold back written bytes.
type rawPeer struct {
	net.Conn
	holdBack bool
	held     []byte
}

func (b *rawPeer) Write(p []byte) (int, error) {
	if !b.holdBack {
		return b.Conn.Write(p)
	}
	b.held = append(b.held, p...)
	return len(p), nil
}

// Records that a slow peer does not read are kept and sent when there is room; Write never blocks.
func TestSecureWriteNeverWaits(t *testing.T) {
	c, client, _ := securePair(t, time.Minute)
	handshake(t, c, client)
	events := make(testHandler, 1)
	c.Handle(events)
	message := bytes.Repeat([]byte("0123456789abcdef"), 1<<10)
	var sent []byte
	for !c.Unsent() {
		if _, err := c.Write(message); err != nil {
			t.Fatal(err)
		}
		sent = append(sent, message...)
	}
	got := make([]byte, len(sent))
	if _, err := io.ReadFull(client, got); err != nil {
		t.Fatal(err)
	}
	events.wait(t, Drained)
	if !bytes.Equal(got, sent) {
		t.Errorf("the received bytes differ from the sent ones")
	}
}

// Close sends close_notify, so that a client can distinguish an end from a truncation attack
// (RFC 8446, section 6.1).
func TestSecureCloseSendsCloseNotify(t *testing.T) {
	c, client, _ := securePair(t, time.Minute)
	handshake(t, c, client)
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := client.Read(make([]byte, 1)); err != io.EOF {
		t.Errorf("the client reads %v, want the end", err)
	}
}

// A client without TLS is refused, and the server continues.
func TestSecureRefusesCleartext(t *testing.T) {
	c, _, below := securePair(t, time.Minute)
	if _, err := below.Write([]byte("GET / HTTP/1.1\r\n\r\n")); err != nil {
		t.Fatal(err)
	}
	var header tls.RecordHeaderError
	if _, err := c.Read(make([]byte, 1)); !errors.As(err, &header) {
		t.Errorf("got %v, want a tls.RecordHeaderError", err)
	}
}

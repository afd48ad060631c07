package edges

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"time"
)

// certificateLife is how long a certificate is good for: longer than any run.
const certificateLife = 7 * 24 * time.Hour

// Secured makes TLS 1.3 for a server at an address, with a certificate of its own,
// which it also returns as PEM, for whoever is to trust it.
//
// The key is Ed25519 (RFC 8032): its signatures all have the same size, so that every
// handshake does, and bytes can be compared exactly. Sessions are not resumed: each
// connection pays for a handshake in full. Records are as large as what is written, so
// that one write is one record.
func Secured(addr net.Addr) (*tls.Config, []byte, error) {
	at, ok := addr.(*net.TCPAddr)
	if !ok {
		return nil, nil, errors.New("make certificate: only for a TCP address")
	}
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, nil, fmt.Errorf("make certificate: %w", err)
	}
	now := time.Now()
	template := &x509.Certificate{
		SerialNumber:          big.NewInt(1),
		Subject:               pkix.Name{CommonName: "pushbench"},
		NotBefore:             now.Add(-time.Hour),
		NotAfter:              now.Add(certificateLife),
		KeyUsage:              x509.KeyUsageDigitalSignature,
		ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		BasicConstraintsValid: true,
		IPAddresses:           []net.IP{at.IP},
		DNSNames:              []string{"localhost"},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, public, private)
	if err != nil {
		return nil, nil, fmt.Errorf("make certificate: %w", err)
	}
	return &tls.Config{
		MinVersion:                  tls.VersionTLS13,
		Certificates:                []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: private}},
		SessionTicketsDisabled:      true,
		DynamicRecordSizingDisabled: true,
	}, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), nil
}

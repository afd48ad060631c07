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

// certificateLife is how long a certificate is valid: longer than any run.
const certificateLife = 7 * 24 * time.Hour

// Secured returns the TLS 1.3 configuration of a server at an address, with a new certificate,
// and the certificate as PEM for clients.
//
// The key is Ed25519 (RFC 8032): all its signatures and thus all handshakes have the same
// size, so that bytes can be compared exactly. Sessions are not resumed: each
// connection makes a full handshake. Records are as large as the written data, so
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

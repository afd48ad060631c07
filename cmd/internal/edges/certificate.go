package edges

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net"
	"time"
)

// certificateLife is how long a certificate is valid: longer than any run.
const certificateLife = 7 * 24 * time.Hour

// Secured returns the TLS 1.3 configuration of a server at an address, with a new certificate,
// and the certificate as PEM for clients.
//
// The key is ECDSA P-256, which every client accepts; browsers refuse Ed25519. Its signatures vary in size, so that
// sizedSigner makes them all equal: all handshakes then have the same size, and bytes can be compared exactly. Sessions are not resumed: each
// connection makes a full handshake. Records are as large as the written data, so
// that one write is one record.
func Secured(addr net.Addr) (*tls.Config, []byte, error) {
	at, ok := addr.(*net.TCPAddr)
	if !ok {
		return nil, nil, errors.New("make certificate: only for a TCP address")
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, fmt.Errorf("make certificate: %w", err)
	}
	private := sizedSigner{key}
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
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), private)
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

// signatureSize is the most frequent size of an ECDSA P-256 signature in ASN.1, in bytes: half of all have it.
const signatureSize = 71

// A sizedSigner signs until the signature has signatureSize bytes: twice on average, which takes some 20 µs more.
type sizedSigner struct{ *ecdsa.PrivateKey }

// Sign is crypto.Signer's.
func (s sizedSigner) Sign(_ io.Reader, digest []byte, options crypto.SignerOpts) (signature []byte, err error) {
	for err == nil && len(signature) != signatureSize {
		signature, err = s.PrivateKey.Sign(rand.Reader, digest, options) // never nil: then all signatures of a digest are equal
	}
	return signature, err
}

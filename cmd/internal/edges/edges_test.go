package edges

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/x509"
	"encoding/pem"
	"net"
	"testing"

	"pushbench/scenarios/transports"
)

func TestEveryTransportHasAnEdge(t *testing.T) {
	for _, transport := range transports.All() {
		if New[transport.Name] == nil {
			t.Errorf("no constructor for %s", transport.Name)
		}
	}
	if len(New) != len(transports.All()) {
		t.Errorf("%d constructors for %d transports", len(New), len(transports.All()))
	}
}

// Browsers accept ECDSA P-256. Every certificate and every signature has the same size.
func TestCertificatesAreAcceptedAndHaveOneSize(t *testing.T) {
	for range 20 {
		config, text, err := Secured(&net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
		if err != nil {
			t.Fatal(err)
		}
		block, _ := pem.Decode(text)
		parsed, err := x509.ParseCertificate(block.Bytes)
		if err != nil || parsed.VerifyHostname("127.0.0.1") != nil || parsed.VerifyHostname("localhost") != nil {
			t.Fatalf("%v, names %v and %v", err, parsed.DNSNames, parsed.IPAddresses)
		}
		key, ok := parsed.PublicKey.(*ecdsa.PublicKey)
		if !ok || key.Curve.Params().Name != "P-256" || len(parsed.Signature) != signatureSize {
			t.Fatalf("key %T, signature of %d bytes, want P-256 and %d", parsed.PublicKey, len(parsed.Signature), signatureSize)
		}
		signer := config.Certificates[0].PrivateKey.(sizedSigner)
		if signature, err := signer.Sign(nil, make([]byte, 32), crypto.SHA256); err != nil || len(signature) != signatureSize {
			t.Errorf("a signature of %d bytes, %v", len(signature), err)
		}
	}
}

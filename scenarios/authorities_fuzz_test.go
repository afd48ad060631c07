package scenarios

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// certificate is one in PEM.
func certificate(t testing.TB) []byte {
	t.Helper()
	s := httptest.NewTLSServer(nil)
	defer s.Close()
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw})
}

// FuzzReadAuthorities checks that a file of authorities has a certificate, and that an error is one short line.
func FuzzReadAuthorities(f *testing.F) {
	one := certificate(f)
	f.Add(one)
	f.Add(append([]byte("# comment\r\n"), bytes.Repeat(one, 2)...))
	f.Add(one[:len(one)/2])
	f.Add(bytes.ReplaceAll(one, []byte("CERTIFICATE"), []byte("PRIVATE KEY")))
	f.Add([]byte("-----BEGIN CERTIFICATE-----\n\x1b]0;x\n-----END CERTIFICATE-----\n"))
	path := filepath.Join(f.TempDir(), "ca.pem")
	f.Fuzz(func(t *testing.T, data []byte) {
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		target := Target{Path: filepath.Join(filepath.Dir(path), "target.yaml"), CA: "ca.pem"}
		err := target.readAuthorities()
		if err != nil && (strings.ContainsFunc(err.Error(), hidden) || len(err.Error()) > 1000) {
			t.Errorf("got %q, want one short line", err)
		}
		has := false
		for block, rest := pem.Decode(data); block != nil; block, rest = pem.Decode(rest) {
			_, invalid := x509.ParseCertificate(block.Bytes)
			has = has || block.Type == "CERTIFICATE" && len(block.Headers) == 0 && invalid == nil
		}
		if has != (err == nil) || err == nil && !bytes.Equal(target.Authorities, data) {
			t.Errorf("%q has a certificate: %t; got %v", data, has, err)
		}
	})
}

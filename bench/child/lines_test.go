package child

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"
	"unicode"

	"pushbench/bench/cost"
)

// FuzzReadLines checks that every value that is handed on can be sent again, and that an error is one line.
func FuzzReadLines(f *testing.F) {
	var sent bytes.Buffer
	w := NewLineWriter(&sent)
	for _, g := range []Greeting{{Listening: "127.0.0.1:8080"}, {Failed: "no \x1b port", PID: 7, Page: &cost.Page{URL: "http://127.0.0.1:1/metrics"}}} {
		if err := w.Send(g); err != nil {
			f.Fatal(err)
		}
	}
	f.Add(sent.Bytes())
	f.Add([]byte("{\"pid\":\"\x1b\"}"))
	f.Add([]byte("{}\x00\n"))
	f.Fuzz(func(t *testing.T, in []byte) {
		var got, again []Greeting
		err := ReadLines(bytes.NewReader(in), func(g Greeting) error { got = append(got, g); return nil })
		if err != nil && strings.ContainsFunc(err.Error(), func(r rune) bool { return !unicode.IsPrint(r) }) {
			t.Errorf("the error is not one printable line: %q", err)
		}
		var sent bytes.Buffer
		for _, g := range got {
			if err := NewLineWriter(&sent).Send(g); err != nil {
				t.Fatal(err)
			}
		}
		err = ReadLines(&sent, func(g Greeting) error { again = append(again, g); return nil })
		if err != nil || !reflect.DeepEqual(got, again) {
			t.Errorf("%+v was read again as %+v, %v", got, again, err)
		}
	})
}

// FuzzTLSConfig checks that a configuration trusts exactly the certificates of the text, and that an error is one printable line.
func FuzzTLSConfig(f *testing.F) {
	s := httptest.NewTLSServer(nil)
	defer s.Close()
	one := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw}))
	for _, text := range []string{"", one, one + "x" + one, one[:len(one)-30], strings.ReplaceAll(one, "CERTIFICATE", "EC PRIVATE KEY"), "-----BEGIN CERTIFICATE-----\n\x1b\n-----END CERTIFICATE-----\n"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		trusted, some := x509.NewCertPool(), false
		for block, rest := pem.Decode([]byte(text)); block != nil; block, rest = pem.Decode(rest) {
			if c, err := x509.ParseCertificate(block.Bytes); err == nil && block.Type == "CERTIFICATE" && len(block.Headers) == 0 {
				trusted.AddCert(c)
				some = true
			}
		}
		config, err := TLSConfig(text)
		switch {
		case err != nil && strings.ContainsFunc(err.Error(), func(r rune) bool { return !unicode.IsPrint(r) }):
			t.Errorf("the error is not one printable line: %q", err)
		case (err != nil) != (text != "" && !some) || (config != nil) != some:
			t.Errorf("%q: got %v, %v; it has a certificate: %t", text, config, err, some)
		case config != nil && (!config.RootCAs.Equal(trusted) || config.InsecureSkipVerify || config.MinVersion < tls.VersionTLS13):
			t.Errorf("%q: got %+v", text, config)
		}
	})
}

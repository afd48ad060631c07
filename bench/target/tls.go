package target

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
)

// TLS returns the configuration of connections to a target with TLS. It trusts the authorities of a PEM text, or those
// of the system for an empty one. Every connection makes a full handshake.
func TLS(authorities string) (*tls.Config, error) {
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	if authorities == "" {
		return config, nil
	}
	config.RootCAs = x509.NewCertPool()
	if !config.RootCAs.AppendCertsFromPEM([]byte(authorities)) {
		return nil, errors.New("ca: no certificate in PEM")
	}
	return config, nil
}

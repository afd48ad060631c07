package child

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// A Greeting is a server's first line.
type Greeting struct {
	Listening string `json:"listening"`
	Settings  string `json:"settings"`

	Certificate string `json:"certificate"` // of a server with TLS, PEM

	TLS *tls.Config `json:"-"` // trusts the certificate; nil without
}

// StartServer starts a server and waits until it reports where it listens. A server that
// does not is ended.
func StartServer(ctx context.Context, argv []string, options Options) (*Process, Greeting, error) {
	p, err := Start(Server, argv, options)
	if err != nil {
		return nil, Greeting{}, err
	}
	g, err := p.awaitGreeting(ctx)
	if err == nil {
		g.TLS, err = TLSConfig(g.Certificate)
	}
	if err != nil {
		_ = p.End(Grace(ctx)) // err says why
		return nil, g, err
	}
	return p, g, nil
}

func (p *Process) awaitGreeting(ctx context.Context) (Greeting, error) {
	said := make(chan Greeting, 1)
	go func() {
		var g Greeting
		if json.NewDecoder(p.Stdout).Decode(&g) == nil && g.Listening != "" {
			said <- g
		}
	}()
	select {
	case g := <-said:
		return g, nil
	case <-time.After(startWait):
		return Greeting{}, fmt.Errorf("server did not say where it listens within %v", startWait)
	case <-p.Ended:
		return Greeting{}, errors.New(p.ExitReason())
	case <-ctx.Done():
		return Greeting{}, context.Cause(ctx)
	}
}

// TLSConfig trusts one certificate (PEM) with TLS 1.3, without session resumption: every
// connection makes a full handshake. It is nil without a certificate.
func TLSConfig(certificate string) (*tls.Config, error) {
	if certificate == "" {
		return nil, nil
	}
	known := x509.NewCertPool()
	if !known.AppendCertsFromPEM([]byte(certificate)) {
		return nil, errors.New("the server's certificate is none")
	}
	return &tls.Config{RootCAs: known, MinVersion: tls.VersionTLS13}, nil
}

package child

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"pushbench/bench/cost"
)

// A Greeting is a server's first line.
type Greeting struct {
	Listening string `json:"listening"`
	Settings  string `json:"settings"`

	Certificate string `json:"certificate"`         // PEM; empty without TLS. Of a target: of the authorities that it trusts
	Authority   string `json:"authority,omitempty"` // host:port that requests name; "": Listening
	Target      string `json:"target,omitempty"`    // name of the target that the process supervises; "": it is a server of pushbench
	Failed      string `json:"failed,omitempty"`    // why that server has not started

	PID  int        `json:"pid,omitempty"`  // of a running server: process that is billed, with its descendants; 0: none
	Page *cost.Page `json:"page,omitempty"` // of a running server: reports its cost; nil: none

	TLS *tls.Config `json:"-"` // trusts the certificate; nil without TLS
}

// A Farewell is the last line of a supervisor whose input has ended.
type Farewell struct {
	Output string `json:"output"` // the last lines of the server's output, as a clause
}

// StartServer starts a server and waits until it reports its listening address. If it does not,
// StartServer ends it.
func StartServer(ctx context.Context, argv []string, options Options) (*Process, Greeting, error) {
	p, err := Start(Server, argv, options)
	if err != nil {
		return nil, Greeting{}, err
	}
	p.Tree = options.Preparation > 0
	g, err := p.awaitGreeting(ctx, startWait+options.Preparation)
	if err == nil {
		p.Tree, p.Root, p.Page = g.Target != "", g.PID, g.Page
		g.TLS, err = TLSConfig(g.Certificate)
	}
	if err != nil {
		_ = p.End(Grace(ctx)) // err has the reason
		return nil, g, err
	}
	return p, g, nil
}

func (p *Process) awaitGreeting(ctx context.Context, within time.Duration) (Greeting, error) {
	greeting := make(chan Greeting, 1)
	go func() {
		var g Greeting
		if json.NewDecoder(p.Stdout).Decode(&g) == nil && (g.Listening != "" || g.Failed != "") {
			greeting <- g
		}
	}()
	select {
	case g := <-greeting:
		if g.Failed != "" {
			return g, errors.New(g.Failed)
		}
		return g, nil
	case <-time.After(within):
		return Greeting{}, fmt.Errorf("server did not report its listening address within %v", within)
	case <-p.Ended:
		return Greeting{}, errors.New(p.ExitReason())
	case <-ctx.Done():
		return Greeting{}, context.Cause(ctx)
	}
}

// TLSConfig returns a configuration that trusts one certificate (PEM) with TLS 1.3, without
// session resumption: every connection makes a full handshake. It is nil without a certificate.
func TLSConfig(certificate string) (*tls.Config, error) {
	if certificate == "" {
		return nil, nil
	}
	trusted := x509.NewCertPool()
	if !trusted.AppendCertsFromPEM([]byte(certificate)) {
		return nil, errors.New("the server's greeting contains no valid PEM certificate")
	}
	return &tls.Config{RootCAs: trusted, MinVersion: tls.VersionTLS13}, nil
}

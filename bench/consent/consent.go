// Package consent decides which hosts pushbench may send load to: this machine, and other hosts that both the
// user and the host allow.
//
// It owns the only way from the url of a target file to an address. The address is looked up once and checked;
// every connection goes to it. It must never send a credential of a target file.
package consent

import (
	"context"
	"crypto/hmac"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"time"

	"pushbench/bench/target"
	"pushbench/scenarios"
)

// Path is where a host states that it allows load.
const Path = "/.well-known/pushbench"

// Limits of a host's response.
const (
	within     = 5 * time.Second // for the lookup, each connection and the response
	mostBody   = 4 << 10
	mostHeader = 16 << 10
)

// Admit returns the address, IP:port, of a target's running server. A target on another host needs two permissions:
// the user names the host in allowed, and the host returns the user's token for it.
func Admit(ctx context.Context, t *scenarios.Target, allowed []string) (string, error) {
	if t.Remote() && !slices.Contains(allowed, t.Host()) {
		token, err := Token(t.Host())
		if err != nil {
			return "", err
		}
		return "", fmt.Errorf("url: %s is another host; if its owner agrees, add --allow-host %s and let GET %s return the token %s", t.Host(), t.Host(), Path, token)
	}
	address, err := reach(ctx, t)
	if err != nil || !t.Remote() {
		return address, err
	}
	return address, ask(ctx, t, address)
}

// reach looks up the host of a target and returns the first of its addresses that accepts a connection.
func reach(ctx context.Context, t *scenarios.Target) (string, error) {
	host, port, err := net.SplitHostPort(t.Authority())
	if err != nil {
		return "", fmt.Errorf("url: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	all, err := net.DefaultResolver.LookupNetIP(ctx, "ip", host)
	if err != nil {
		return "", fmt.Errorf("url: the address of %s cannot be looked up: %w", host, err)
	}
	if !t.Remote() {
		if all = slices.DeleteFunc(all, func(a netip.Addr) bool { return !a.Unmap().IsLoopback() }); len(all) == 0 {
			return "", fmt.Errorf("url: %s is not a loopback address on this machine; use 127.0.0.1 or [::1]", host)
		}
	}
	for _, ip := range all {
		address := net.JoinHostPort(ip.Unmap().String(), port)
		var c net.Conn
		if c, err = (&net.Dialer{}).DialContext(ctx, "tcp", address); err == nil {
			defer c.Close()
			return address, handshake(ctx, t, c)
		}
	}
	return "", fmt.Errorf("url: %s accepts no connection: %w; start the server, or give start instead of url", t.Authority(), err)
}

// handshake makes the TLS handshake of a target, if it has TLS.
func handshake(ctx context.Context, t *scenarios.Target, c net.Conn) error {
	if !t.Secured() {
		return nil
	}
	config, err := target.TLS(string(t.Authorities))
	if err != nil {
		return err
	}
	config.ServerName = t.Host()
	if err := tls.Client(c, config).HandshakeContext(ctx); err != nil {
		return fmt.Errorf("url: TLS with %s: %w", t.Authority(), err)
	}
	return nil
}

// ask requests the consent of a host from its checked address.
func ask(ctx context.Context, t *scenarios.Target, address string) error {
	token, err := Token(t.Host())
	if err != nil {
		return err
	}
	if err := request(ctx, t, address, token); err != nil {
		return fmt.Errorf("url: %s does not allow load: GET %s %w; allowed: status 200 and the token %s on a line of the body", t.Authority(), Path, err, token)
	}
	return nil
}

func request(ctx context.Context, t *scenarios.Target, address, token string) error {
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimSuffix(t.URL, "/")+Path, nil)
	if err != nil {
		return err
	}
	config, err := target.TLS(string(t.Authorities))
	if err != nil {
		return err
	}
	client := Client(address, config)
	defer client.CloseIdleConnections()
	response, err := client.Do(r)
	if err != nil {
		return fmt.Errorf("failed: %w", err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("returned status %d", response.StatusCode)
	}
	body, err := io.ReadAll(io.LimitReader(response.Body, mostBody))
	if err != nil {
		return fmt.Errorf("failed: %w", err)
	}
	for line := range strings.Lines(string(body)) {
		if hmac.Equal([]byte(strings.TrimSpace(line)), []byte(token)) {
			return nil
		}
	}
	return fmt.Errorf("returned %d bytes without the token", len(body))
}

// Client returns a client whose requests all go to one address, whatever their URL names. It follows no redirect
// and uses no proxy. secured is for the scheme https.
func Client(address string, secured *tls.Config) *http.Client {
	return &http.Client{
		Transport: &http.Transport{
			MaxResponseHeaderBytes: mostHeader,
			TLSClientConfig:        secured,
			DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
				return (&net.Dialer{Timeout: within}).DialContext(ctx, "tcp", address)
			},
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

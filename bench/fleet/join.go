package fleet

import (
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"net/url"
	"os"
	"slices"
	"strings"
	"syscall"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nkeys"

	"pushbench/results"
)

// A Join is what an agent must know to take part in a run: the broker, and the run's public key, with which the agent
// verifies who sends it work.
type Join struct {
	Broker      string // URL of a NATS server, or several with commas
	Run         string // public key of the run, an nkey of type user
	Credentials string // file for the user's own NATS, with a JWT and its nkey, or an nkey alone; empty: none
	Authority   string // file with the certificates of authorities that the user's own NATS has; empty: those of the system

	key         string // seed of the agents' nkey, for the broker of a run; empty: none
	certificate string // SHA-256 of the broker's certificate, in hex; empty: as the system trusts
}

// Parameters of the URL in which a run prints its Join.
const (
	runParameter         = "run"
	keyParameter         = "key"
	certificateParameter = "certificate"
)

// String returns the URL for agent --join.
func (j Join) String() string {
	u, err := url.Parse(j.Broker)
	if err != nil {
		return j.Broker
	}
	q := url.Values{runParameter: {j.Run}, keyParameter: {j.key}, certificateParameter: {j.certificate}}
	u.RawQuery = q.Encode()
	return u.String()
}

// ErrJoin is the error of a text that is no Join.
var ErrJoin = errors.New("the text is not what a run printed for its agents")

// ParseJoin reads what String returns.
func ParseJoin(text string) (j Join, err error) {
	u, err := url.Parse(text)
	if err != nil {
		return j, ErrJoin // the error of package url contains the key
	}
	q := u.Query()
	j = Join{Run: q.Get(runParameter), key: q.Get(keyParameter), certificate: q.Get(certificateParameter)}
	u.RawQuery = ""
	j.Broker = u.String()
	if sum, err := hex.DecodeString(j.certificate); u.Scheme != "tls" || u.Port() == "" || u.User != nil || err != nil || len(sum) != sha256.Size {
		return Join{}, ErrJoin
	}
	if _, err := nkeys.FromSeed([]byte(j.key)); err != nil || !nkeys.IsValidPublicUserKey(j.Run) {
		return Join{}, ErrJoin
	}
	return j, nil
}

// Check refuses a run that cannot exist.
func (j Join) Check() error {
	if !nkeys.IsValidPublicUserKey(j.Run) {
		return ErrJoin
	}
	return nil
}

// CheckServers refuses what no NATS server or its files can be. Errors contain no part of the URLs, because of their
// passwords.
func (j Join) CheckServers() error {
	if _, err := j.servers(); err != nil {
		return err
	}
	_, err := j.options()
	return err
}

// servers are the URLs of the NATS servers, as package nats reads them.
func (j Join) servers() (all []*url.URL, err error) {
	for i, text := range strings.Split(j.Broker, ",") {
		text = strings.TrimSpace(text)
		if !strings.Contains(text, "://") {
			text = "nats://" + text
		}
		u, err := url.Parse(text)
		if err != nil || u.Hostname() == "" || !slices.Contains([]string{"nats", "tls", "ws", "wss"}, u.Scheme) {
			return nil, fmt.Errorf("URL %d of the NATS servers is not allowed; allowed: nats://HOST:PORT or tls://HOST:PORT, with commas between several, and special characters of a password as %%XX", i+1)
		}
		all = append(all, u)
	}
	return all, nil
}

// Servers names the NATS servers, with placeholders for passwords and tokens.
func (j Join) Servers() string {
	all, err := j.servers()
	if err != nil {
		return "that is not a URL"
	}
	var names []string
	for _, u := range all {
		if _, given := u.User.Password(); given {
			u.User = url.UserPassword(u.User.Username(), "PASSWORD")
		} else if u.User != nil {
			u.User = url.User("TOKEN")
		}
		names = append(names, u.String())
	}
	return strings.Join(names, ",")
}

// options are those of a connection to the broker.
func (j Join) options() (all []nats.Option, err error) {
	if j.Credentials != "" {
		one, err := credentials(j.Credentials)
		if err != nil {
			return nil, err
		}
		all = append(all, one)
	}
	if j.Authority != "" {
		if data, err := os.ReadFile(j.Authority); err != nil {
			return nil, err
		} else if !x509.NewCertPool().AppendCertsFromPEM(data) {
			return nil, fmt.Errorf("%s contains no certificate; allowed: a PEM file", j.Authority)
		}
		all = append(all, nats.RootCAs(j.Authority))
	}
	if j.key == "" {
		return all, nil
	}
	pair, err := nkeys.FromSeed([]byte(j.key))
	if err != nil {
		return nil, ErrJoin
	}
	public, err := pair.PublicKey()
	if err != nil {
		return nil, err
	}
	return append(all, nats.Nkey(public, pair.Sign), nats.Secure(pinned(j.certificate)), nats.TLSHandshakeFirst()), nil
}

// closed is the error of a connection that is not tried again, because the server refuses it.
func (j Join) closed(c *nats.Conn) error {
	err := c.LastError()
	if err == nil {
		err = nats.ErrConnectionClosed
	}
	return fmt.Errorf("the NATS server %s does not take this connection: %s", j.Servers(), results.Plain(err.Error()))
}

// credentials reads a file of credentials.
func credentials(file string) (nats.Option, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	if _, err := nkeys.ParseDecoratedUserNKey(data); err != nil {
		return nil, fmt.Errorf("%s contains no credentials of a NATS user; allowed: a .creds file, or a file with the seed of an nkey", file)
	}
	if strings.Contains(string(data), "USER JWT") {
		return nats.UserCredentials(file), nil
	}
	return nats.NkeyOptionFromSeed(file)
}

var errCertificate = errors.New("it has another certificate than the run printed")

// pinned is a configuration that accepts one certificate only.
func pinned(sum string) *tls.Config {
	return &tls.Config{
		MinVersion:         tls.VersionTLS13,
		InsecureSkipVerify: true, //nolint:gosec // VerifyConnection compares the certificate with the one that the run printed
		VerifyConnection: func(s tls.ConnectionState) error {
			if !slices.ContainsFunc(s.PeerCertificates[:1], func(c *x509.Certificate) bool { return fingerprint(c.Raw) == sum }) {
				return errCertificate
			}
			return nil
		},
	}
}

func fingerprint(certificate []byte) string {
	sum := sha256.Sum256(certificate)
	return hex.EncodeToString(sum[:])
}

// complain says each error of a connection once.
func (j Join) complain(say func(string)) func(error) {
	said := map[string]bool{} // callbacks of a connection follow each other
	return func(err error) {
		if text := err.Error(); !said[text] && !errors.Is(err, syscall.ECONNREFUSED) && !errors.Is(err, nats.ErrNoServers) {
			said[text] = true
			say(fmt.Sprintf("the NATS server %s: %s", j.Servers(), results.Plain(text)))
		}
	}
}

// connect connects to the broker, which may not be there yet, and connects again whenever the connection is lost. Each
// reason why it does not is said once; that nothing listens is none.
func (j Join) connect(name string, say func(string), more ...nats.Option) (*nats.Conn, error) {
	if _, err := j.servers(); err != nil {
		return nil, err
	}
	options, err := j.options()
	if err != nil {
		return nil, err
	}
	complain := j.complain(say)
	options = append(options,
		nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) { complain(err) }),
		nats.ReconnectErrHandler(func(_ *nats.Conn, err error) { complain(err) }),
		nats.Name(name), nats.RetryOnFailedConnect(true), nats.MaxReconnects(-1), nats.ReconnectWait(helloWait/4))
	c, err := nats.Connect(j.Broker, append(options, more...)...)
	if err != nil {
		return nil, fmt.Errorf("connect to the NATS server %s: %w", j.Servers(), err)
	}
	return c, nil
}

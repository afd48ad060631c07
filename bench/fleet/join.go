package fleet

import (
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"net/url"
	"slices"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nkeys"
)

// A Join is what an agent must know to take part in a run: the broker, and the run's public key, with which the agent
// verifies who sends it work.
type Join struct {
	Broker      string // URL of a NATS server, or several with commas
	Run         string // public key of the run, an nkey of type user
	Credentials string // file for the user's own NATS; empty: none

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

// options are those of a connection to the broker.
func (j Join) options() (all []nats.Option, err error) {
	if j.Credentials != "" {
		all = append(all, nats.UserCredentials(j.Credentials))
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
	return append(all, nats.Nkey(public, pair.Sign), nats.Secure(pinned(j.certificate))), nil
}

// pinned is a configuration that accepts one certificate only.
func pinned(sum string) *tls.Config {
	return &tls.Config{
		MinVersion:         tls.VersionTLS13,
		InsecureSkipVerify: true, //nolint:gosec // VerifyConnection compares the certificate with the one that the run printed
		VerifyConnection: func(s tls.ConnectionState) error {
			if !slices.ContainsFunc(s.PeerCertificates[:1], func(c *x509.Certificate) bool { return fingerprint(c.Raw) == sum }) {
				return errors.New("the broker has another certificate than the run printed")
			}
			return nil
		},
	}
}

func fingerprint(certificate []byte) string {
	sum := sha256.Sum256(certificate)
	return hex.EncodeToString(sum[:])
}

// connect connects to the broker, which may not be there yet, and connects again whenever the connection is lost.
func (j Join) connect(name string, more ...nats.Option) (*nats.Conn, error) {
	options, err := j.options()
	if err != nil {
		return nil, err
	}
	options = append(options, nats.Name(name), nats.RetryOnFailedConnect(true), nats.MaxReconnects(-1), nats.ReconnectWait(helloWait/4))
	c, err := nats.Connect(j.Broker, append(options, more...)...)
	if err != nil {
		return nil, fmt.Errorf("connect to the NATS server %s: %w", j.Broker, err)
	}
	return c, nil
}

package fleet

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"math/big"
	"net"
	"strconv"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nkeys"
)

// A Broker is a NATS server within the coordinator's process, for one run. It has one key for the coordinator and one for
// the agents, and only accepts TLS.
type Broker struct {
	server      *server.Server
	join        Join
	coordinator nkeys.KeyPair
	certificate tls.Certificate
	users       []*server.NkeyUser
	connections int // at most
}

// MostAgents is the largest number of agents of a run. Some more connections bound what strangers can open.
const (
	MostAgents      = 1000
	mostConnections = MostAgents + 24
)

// brokerStart is how long a broker may take until it accepts connections.
const brokerStart = 10 * time.Second

// StartBroker starts a broker that listens on host:port, as agents reach it. The port 0 is any.
func StartBroker(run *Key, address string) (*Broker, error) {
	b := &Broker{connections: mostConnections}
	agents, err := nkeys.CreateUser()
	if err != nil {
		return nil, err
	}
	seed, err := agents.Seed()
	if err != nil {
		return nil, err
	}
	if b.coordinator, err = nkeys.CreateUser(); err != nil {
		return nil, err
	}
	if b.users, err = brokerUsers(run.Public, b.coordinator, agents); err != nil {
		return nil, err
	}
	if b.certificate, err = newCertificate(); err != nil {
		return nil, err
	}
	b.join = Join{Run: run.Public, key: string(seed), certificate: fingerprint(b.certificate.Certificate[0])}
	return b, b.listen(address)
}

// listen starts the NATS server.
func (b *Broker) listen(address string) error {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return fmt.Errorf("the broker's address %q is not allowed; allowed: host:port", address)
	}
	number, err := strconv.ParseUint(port, 10, 16)
	if err != nil {
		return fmt.Errorf("the broker's port %q is not allowed; allowed: 0 to 65535", port)
	}
	options := &server.Options{
		ServerName: "pushbench", Host: host, Port: int(number), NoSigs: true, NoLog: true, Nkeys: b.users,
		TLSConfig:         &tls.Config{Certificates: []tls.Certificate{b.certificate}, MinVersion: tls.VersionTLS13},
		TLSHandshakeFirst: true, TLSTimeout: silence.Seconds(), AuthTimeout: silence.Seconds(), MaxConn: b.connections,
	}
	if number == 0 {
		options.Port = server.RANDOM_PORT
	}
	if b.server, err = server.NewServer(options); err != nil {
		return fmt.Errorf("start the broker on %s: %w", address, err)
	}
	b.server.Start()
	if !b.server.ReadyForConnections(brokerStart) {
		b.End()
		return fmt.Errorf("start the broker: it does not listen on %s: the port may be in use, or the address not of this machine", address)
	}
	at := b.server.Addr().(*net.TCPAddr) //nolint:forcetypeassert // it listens on TCP only
	b.join.Broker = "tls://" + net.JoinHostPort(host, strconv.Itoa(at.Port))
	return nil
}

// brokerUsers are the broker's users. Agents cannot send work to each other.
func brokerUsers(run string, coordinator, agents nkeys.KeyPair) ([]*server.NkeyUser, error) {
	c, err := coordinator.PublicKey()
	if err != nil {
		return nil, err
	}
	a, err := agents.PublicKey()
	return []*server.NkeyUser{{Nkey: c}, {Nkey: a, Permissions: &server.Permissions{
		Publish:   &server.SubjectPermission{Allow: []string{helloSubject(run), fromSubject(run, ">"), "_INBOX.>"}},
		Subscribe: &server.SubjectPermission{Allow: []string{toSubject(run, ">"), coordinatorSubject(run), "_INBOX.>"}},
	}}}, err
}

// Join is what agents must know.
func (b *Broker) Join() Join { return b.join }

// connect connects the coordinator, within this process.
func (b *Broker) connect() (*nats.Conn, error) {
	public, err := b.coordinator.PublicKey()
	if err != nil {
		return nil, err
	}
	c, err := nats.Connect(b.join.Broker, nats.InProcessServer(b.server), nats.Nkey(public, b.coordinator.Sign), nats.Name("coordinator"), nats.Secure(pinned(b.join.certificate)), nats.TLSHandshakeFirst())
	if err != nil {
		return nil, fmt.Errorf("connect to the broker: %w", err)
	}
	return c, nil
}

// End ends the broker.
func (b *Broker) End() {
	b.server.Shutdown()
	b.server.WaitForShutdown()
}

// certificateLife is longer than any run.
const certificateLife = 30 * 24 * time.Hour

// newCertificate makes a certificate that agents know by its checksum.
func newCertificate() (c tls.Certificate, err error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return c, err
	}
	now := time.Now()
	template := x509.Certificate{SerialNumber: big.NewInt(now.UnixNano()), Subject: pkix.Name{CommonName: "pushbench"}, NotBefore: now.Add(-certificateLife), NotAfter: now.Add(certificateLife)}
	raw, err := x509.CreateCertificate(rand.Reader, &template, &template, key.Public(), key)
	return tls.Certificate{Certificate: [][]byte{raw}, PrivateKey: key}, err
}

// A Key signs what a coordinator sends to the agents of its run.
type Key struct {
	Public string
	pair   nkeys.KeyPair
}

// NewKey makes the key of a run.
func NewKey() (*Key, error) {
	pair, err := nkeys.CreateUser()
	if err != nil {
		return nil, err
	}
	public, err := pair.PublicKey()
	return &Key{public, pair}, err
}

var errSignature = errors.New("the message is not signed by the run's key")

package fleet

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"math/big"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nkeys"

	"pushbench/bench/agent"
	"pushbench/bench/generator"
	"pushbench/results"
)

const (
	natsUser     = "bench"
	natsPassword = "s3cr3t"
)

// startNATS starts a NATS server as a user's own, which is not of the run.
func startNATS(t *testing.T, o server.Options) *server.Server {
	t.Helper()
	o.Host, o.NoSigs, o.NoLog = "127.0.0.1", true, true
	if o.Port == 0 {
		o.Port = server.RANDOM_PORT
	}
	s, err := server.NewServer(&o)
	if err != nil {
		t.Fatal(err)
	}
	s.Start()
	t.Cleanup(func() { endNATS(s) })
	if !s.ReadyForConnections(brokerStart) {
		t.Fatal("the NATS server does not listen")
	}
	return s
}

func endNATS(s *server.Server) {
	s.Shutdown()
	s.WaitForShutdown()
}

// withPassword are the options of a server with one user, who has an account, as has another.
func withPassword() server.Options {
	own := server.NewAccount("pushbench")
	return server.Options{Accounts: []*server.Account{own, server.NewAccount("other")}, Users: []*server.User{{Username: natsUser, Password: natsPassword, Account: own}}}
}

// urlOf is the URL of a server with a user and password.
func urlOf(s *server.Server, scheme, password string) string {
	u := url.URL{Scheme: scheme, User: url.UserPassword(natsUser, password), Host: s.Addr().String()}
	return u.String()
}

// gatherAt gathers agents at a user's own servers.
func gatherAt(t *testing.T, j Join, key *Key, n int) *Fleet {
	t.Helper()
	f, err := Gather(t.Context(), j, key, Options{Agents: n, Within: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func newKey(t *testing.T) *Key {
	t.Helper()
	key, err := NewKey()
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// A step is a call of Measure that a test releases.
type heldStep struct{ began, release chan struct{} }

func hold(one *joined) *heldStep {
	h := &heldStep{make(chan struct{}), make(chan struct{})}
	one.steps.measure = func(ctx context.Context, _ <-chan struct{}, each func(results.Interval) error) (*agent.Measured, error) {
		close(h.began)
		select {
		case <-h.release:
			return &agent.Measured{Outcomes: []*generator.Outcome{{}}}, each(results.Interval{Delivered: 3})
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
	return h
}

// measureAll measures on all agents, and returns the error of each once all have begun.
func measureAll(t *testing.T, f *Fleet, steps ...*heldStep) []chan error {
	t.Helper()
	var all []chan error
	for _, r := range f.Agents {
		failed := make(chan error, 1)
		all = append(all, failed)
		go func() {
			toMeasure(t, r)
			_, err := r.Measure(context.Background(), inAnHour(), func(results.Interval) error { return nil })
			failed <- err
		}()
	}
	for _, h := range steps {
		<-h.began
	}
	return all
}

// A run uses a user's own server, by password, token or nkey, also if it starts after the agents.
func TestUsersOwnServer(t *testing.T) {
	t.Parallel()
	pair, err := nkeys.CreateUser()
	if err != nil {
		t.Fatal(err)
	}
	seed, _ := pair.Seed()
	public, _ := pair.PublicKey()
	file := filepath.Join(t.TempDir(), "bench.nk")
	if err := os.WriteFile(file, seed, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, one := range map[string]struct {
		options server.Options
		user    *url.Userinfo
		file    string
	}{
		"password": {withPassword(), url.UserPassword(natsUser, natsPassword), ""},
		"token":    {server.Options{Authorization: natsPassword}, url.User(natsPassword), ""},
		"nkey":     {server.Options{Nkeys: []*server.NkeyUser{{Nkey: public}}}, nil, file},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			key, s := newKey(t), startNATS(t, one.options)
			u := url.URL{Scheme: "nats", User: one.user, Host: s.Addr().String()}
			j := Join{Broker: u.String(), Run: key.Public, Credentials: one.file}
			again := one.options
			again.Port = urlPort(t, s)
			endNATS(s)
			box := startAgent(t, t.Context(), j, "box")
			startNATS(t, again)
			f := gatherAt(t, j, key, 1)
			if condition, err := f.Agents[0].Begin(t.Context()); err != nil || condition != "condition" {
				t.Errorf("%q, %v", condition, err)
			}
			if err := errors.Join(f.Close(), <-box.done); err != nil {
				t.Error(err)
			}
		})
	}
}

// A server that does not take the user ends the wait at once, and no text shows the password.
func TestServerThatRefusesTheUser(t *testing.T) {
	t.Parallel()
	key, s := newKey(t), startNATS(t, withPassword())
	const wrong = "wr0ng"
	j := Join{Broker: urlOf(s, "nats", wrong), Run: key.Public}
	box := startAgent(t, t.Context(), j, "box")
	_, err := Gather(t.Context(), j, key, Options{Agents: 1, Within: time.Hour})
	want := "the NATS server nats://bench:PASSWORD@" + s.Addr().String() + " does not take this connection: nats: authorization violation"
	for who, err := range map[string]error{"coordinator": err, "agent": <-box.done} {
		if err == nil || !strings.EqualFold(err.Error(), want) {
			t.Errorf("%s: %v, want %s", who, err, want)
		}
	}
	for len(box.said) > 0 {
		if text := <-box.said; strings.Contains(text, wrong) {
			t.Errorf("the agent said %q", text)
		}
	}
}

// No text about NATS servers shows a password or token, whatever the URL.
func TestServersWithoutPasswords(t *testing.T) {
	t.Parallel()
	for broker, want := range map[string]string{
		"nats://192.0.2.7:4222": "nats://192.0.2.7:4222",
		"nats://bench:s3cr3t@a.example:4222, tls://bench:s3cr3t@b.example": "nats://bench:PASSWORD@a.example:4222,tls://bench:PASSWORD@b.example",
		"bench:s3cr3t@a.example:4222":                                      "nats://bench:PASSWORD@a.example:4222",
		"tls://s3cr3t@a.example":                                           "tls://TOKEN@a.example",
		"nats://bench:s3cr3t,x@a.example":                                  "",
		"nats://bench:s3cr3t%@a.example":                                   "",
		"nats://bench:s3cr3t@":                                             "",
		"http://bench:s3cr3t@a.example":                                    "",
		"":                                                                 "",
	} {
		j := Join{Broker: broker}
		err := j.CheckServers()
		if want == "" != (err != nil) || want != "" && j.Servers() != want {
			t.Errorf("%q: %s, %v, want %s", broker, j.Servers(), err, want)
		}
		if err != nil && strings.Contains(err.Error()+j.Servers(), "s3cr3t") {
			t.Errorf("%q: %s, %v", broker, j.Servers(), err)
		}
	}
}

func TestFilesOfNATS(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "some")
	if err := os.WriteFile(file, []byte("s3cr3t"), 0o600); err != nil {
		t.Fatal(err)
	}
	for want, j := range map[string]Join{
		file + " contains no credentials of a NATS user": {Credentials: file},
		file + " contains no certificate":                {Authority: file},
		"no such file":                                   {Authority: file + "x"},
		"x: no such file":                                {Credentials: file + "x"},
	} {
		j.Broker = "nats://192.0.2.7"
		if err := j.CheckServers(); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "s3cr3t") {
			t.Errorf("%+v: %v, want %s", j, err, want)
		}
	}
}

// authority writes the certificate of a cluster's own authority and returns the file.
func authority(t *testing.T, c tls.Certificate) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Certificate[0]}), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// A run at a cluster completes if one of three members ends during a step, whoever is connected to it. The response of the
// step is sent at that moment.
func TestMemberOfAClusterEndsDuringAStep(t *testing.T) {
	t.Parallel()
	certificate := serverCertificate(t)
	ca := authority(t, certificate)
	for i, ends := range []string{"the coordinator's", "one agent's", "the other agent's"} {
		t.Run(ends, func(t *testing.T) {
			t.Parallel()
			var members []*server.Server
			var routes []*url.URL
			for _, name := range []string{"a", "b", "c"} {
				o := withPassword()
				o.ServerName, o.TLSTimeout = name, silence.Seconds()
				o.TLSConfig = &tls.Config{Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS13}
				o.Cluster = server.ClusterOpts{Name: "test", Host: "127.0.0.1", Port: server.RANDOM_PORT}
				o.Routes = append([]*url.URL(nil), routes...)
				s := startNATS(t, o)
				members = append(members, s)
				routes = append(routes, &url.URL{Scheme: "nats", Host: s.ClusterAddr().String()})
			}
			key := newKey(t)
			at := func(i int) Join {
				return Join{Broker: urlOf(members[i], "tls", natsPassword), Run: key.Public, Authority: ca}
			}
			box, far := startAgent(t, t.Context(), at(1), "box"), startAgent(t, t.Context(), at(2), "far")
			f := gatherAt(t, at(0), key, 2)
			one, other := hold(box), hold(far)
			all := measureAll(t, f, one, other)
			endNATS(members[i])
			close(one.release)
			close(other.release)
			for _, failed := range all {
				if err := <-failed; err != nil {
					t.Error(err)
				}
			}
			for _, r := range f.Agents {
				if _, err := r.Clock(t.Context()); err != nil {
					t.Error(err)
				}
			}
			if err := errors.Join(f.Close(), <-box.done, <-far.done); err != nil {
				t.Error(err)
			}
		})
	}
}

// An authority that neither the system nor --nats-ca names is reported once, while the agent waits.
func TestUnknownAuthorityIsReported(t *testing.T) {
	t.Parallel()
	o := withPassword()
	o.TLSConfig, o.TLSTimeout = &tls.Config{Certificates: []tls.Certificate{serverCertificate(t)}, MinVersion: tls.VersionTLS13}, silence.Seconds()
	s := startNATS(t, o)
	ctx, cancel := context.WithCancel(t.Context())
	box := startAgent(t, ctx, Join{Broker: urlOf(s, "tls", natsPassword), Run: newKey(t).Public}, "box")
	if text := <-box.said; !strings.Contains(text, "certificate signed by unknown authority") || strings.Contains(text, natsPassword) {
		t.Errorf("the agent said %q", text)
	}
	cancel()
	if err := <-box.done; !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

// A server that ends during a step and starts again before the time of silence is not noticed by the run; afterwards, both
// sides end, and the run names its agent.
func TestServerEndsDuringAStep(t *testing.T) {
	t.Parallel()
	for name, returns := range map[string]bool{"shortly": true, "for long": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			key, o := newKey(t), withPassword()
			s := startNATS(t, o)
			j := Join{Broker: urlOf(s, "nats", natsPassword), Run: key.Public}
			box := startAgent(t, t.Context(), j, "box")
			f := gatherAt(t, j, key, 1)
			h := hold(box)
			failed := measureAll(t, f, h)[0]
			o.Port = urlPort(t, s)
			endNATS(s)
			if returns {
				close(h.release)
				startNATS(t, o)
				if err := errors.Join(<-failed, f.Close(), <-box.done); err != nil {
					t.Error(err)
				}
				return
			}
			if err := <-failed; err == nil || !strings.HasPrefix(err.Error(), "agent box: no sign of life for ") {
				t.Errorf("the run: %v", err)
			}
			if err := <-box.done; !errors.Is(err, ErrAlone) || !box.steps.ended {
				t.Errorf("the agent: %v", err)
			}
			if err := f.Close(); err == nil {
				t.Error("a run without connection announced its end")
			}
		})
	}
}

// A request that comes twice is performed once, and answered twice after its end: the first response may be lost.
func TestRepeatedRequestIsPerformedOnce(t *testing.T) {
	t.Parallel()
	key, b := newRun(t)
	box := startAgent(t, t.Context(), b.Join(), "box")
	f := gathered(t, key, b, 1)
	toMeasure(t, f.Agents[0])
	performed := 0
	box.steps.measure = func(context.Context, <-chan struct{}, func(results.Interval) error) (*agent.Measured, error) {
		performed++
		return &agent.Measured{Outcomes: []*generator.Outcome{{}}}, nil
	}
	inbox := f.conn.NewInbox()
	in := make(chan *nats.Msg, 2)
	if _, err := f.conn.ChanSubscribe(inbox, in); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := f.send(toSubject(key.Public, f.Agents[0].id+".Measure"), inbox, request{Window: inAnHour()}); err != nil {
			t.Fatal(err)
		}
		<-in
	}
	if err := errors.Join(f.Close(), <-box.done); err != nil || performed != 1 {
		t.Errorf("performed %d times, %v", performed, err)
	}
}

// A request or its response may be lost: the coordinator sends it again while the agent is in no step.
func TestLostRequestIsSentAgain(t *testing.T) {
	t.Parallel()
	key, b := newRun(t)
	ctx, kill := context.WithCancel(t.Context())
	box := startAgent(t, ctx, b.Join(), "box")
	f := gathered(t, key, b, 1)
	kill()
	<-box.done
	r := f.Agents[0]
	received := 0
	if _, err := f.conn.Subscribe(toSubject(key.Public, r.id+".Begin"), func(m *nats.Msg) {
		if received++; received == 1 {
			encoded, _ := json.Marshal(beat{})
			_ = f.conn.Publish(fromSubject(key.Public, r.id), encoded)
			return // as if it were lost
		}
		_ = respond(f.conn, m.Reply, response{Text: "condition"})
	}); err != nil {
		t.Fatal(err)
	}
	if condition, err := r.Begin(t.Context()); err != nil || condition != "condition" {
		t.Errorf("%q, %v", condition, err)
	}
	if err := f.Close(); err != nil {
		t.Error(err)
	}
}

// urlPort is the port of a server.
func urlPort(t *testing.T, s *server.Server) int {
	t.Helper()
	at, ok := s.Addr().(*net.TCPAddr)
	if !ok {
		t.Fatal("no TCP server")
	}
	return at.Port
}

// serverCertificate is a certificate of 127.0.0.1, which is its own authority.
func serverCertificate(t *testing.T) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := x509.Certificate{SerialNumber: big.NewInt(1), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, NotAfter: time.Now().Add(certificateLife), IsCA: true, BasicConstraintsValid: true}
	raw, err := x509.CreateCertificate(rand.Reader, &template, &template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{raw}, PrivateKey: key}
}

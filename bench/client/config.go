package client

import (
	"crypto/tls"
	"net"
	"net/netip"
	"runtime"
	"time"

	"pushbench/scenarios"
)

// Agent names the tool in every request.
const UserAgent = "pushbench"

// DialTimeout bounds one attempt to open a connection.
const DialTimeout = 10 * time.Second

// Config says which server the clients of an engine talk to, and how.
type Config struct {
	Target    string // host:port
	Workers   int    // threads that serve sessions; default: one for each core that this process may use
	Transport scenarios.Transport
	Traffic   *Traffic    // where bytes are counted; required
	TLS       *tls.Config // what connections are secured with; nil: nothing. Event loops have none

	Interval      time.Duration    // short polling: between polls
	Pacing        scenarios.Pacing // short polling
	PollTimeout   time.Duration    // long polling: how long the server may hold a poll
	NewConnection bool             // polling: a TCP connection for every poll
	InFlight      int              // publishes a session may have waiting or unanswered; default 4096
	ReadTimeout   time.Duration    // how long a client waits for bytes before it takes its connection for dead; 0: for ever
	HeaderBytes   int              // bytes of a client's request head, which is filled up to it; 0: as it is
	Link          Link             // how far the clients are from the server; default: loopback

	Host               func(client int) netip.Addr   // the address that a client connects from; nil: any. A backend has none
	InBackendNamespace func(open func() error) error // has a backend's sockets made where it stands; default: here, as all others

	// Receive is where a client listens for what the server posts, and under which address
	// the server is to find it, "" being the same; default: a port of this machine's own.
	Receive func(client int) (listen, known string)

	common string // of every request: what follows the target
}

const defaultInFlight = 4096

// SetDefaults fills in what an engine needs and its caller left out.
func (c *Config) SetDefaults() {
	if c.InFlight == 0 {
		c.InFlight = defaultInFlight
	}
	if c.Workers == 0 {
		c.Workers = runtime.NumCPU()
	}
	if c.TLS != nil && c.TLS.ServerName == "" {
		c.TLS = c.TLS.Clone()
		c.TLS.ServerName, _, _ = net.SplitHostPort(c.Target) // what is no host and port is refused when it is dialled
	}
	c.common = " HTTP/1.1\r\nHost: " + c.Target + "\r\nUser-Agent: " + UserAgent + "\r\n"
}

package client

import (
	"cmp"
	"crypto/tls"
	"net"
	"net/netip"
	"runtime"
	"time"

	"pushbench/bench/payload"
	"pushbench/bench/target"
	"pushbench/scenarios"
)

// UserAgent names the tool in every request.
const UserAgent = "pushbench"

// DialTimeout bounds one attempt to open a connection.
const DialTimeout = 10 * time.Second

// Config configures the clients of an engine: their server, transport and options.
type Config struct {
	Target    string // host:port
	Authority string // host:port in the Host field of requests; default: Target
	Workers   int    // threads that serve sessions; default: one per core that this process may use
	Transport scenarios.Transport
	Traffic   *Traffic // where bytes are counted; required

	Dialect  *target.Dialect  // the protocol of a target; nil: pushbench's own
	Payloads *payload.Scanner // finds the payloads of the run; required with Dialect

	TLS *tls.Config // TLS configuration of every connection; nil: no TLS. Event loops do not support it

	Interval      time.Duration    // short polling: time between polls
	Pacing        scenarios.Pacing // short polling
	PollTimeout   time.Duration    // long polling: how long the server may hold a poll
	NewConnection bool             // polling: a TCP connection for every poll
	InFlight      int              // publications a session may have queued or without an outcome; default 4096
	ReadTimeout   time.Duration    // how long a client waits for a response to a poll, or for bytes of a stream, before it closes its connection; 0: no limit
	PostTimeout   time.Duration    // how long the response to a publication by POST may take; 0: no limit
	RestTimeout   time.Duration    // how long the rest of a response to a poll may take that has begun; 0: no limit but ReadTimeout
	OpenTimeout   time.Duration    // how long the header of a stream or a WebSocket may take; default: DialTimeout
	HeaderBytes   int              // bytes to which a client's request header is padded; 0: no padding
	Link          Link             // simulated network between clients and server; default: none

	Host               func(client int) netip.Addr   // the address that a client connects from; nil: any. Not for a backend
	InBackendNamespace func(open func() error) error // opens a backend's sockets in its network namespace; default: in this one

	// Receive returns where a client listens for webhooks, and the address that it
	// registers with the server, "" for the same; default: a loopback port.
	Receive func(client int) (listen, known string)

	common string // the part of every request that follows the target
}

const defaultInFlight = 4096

// SetDefaults sets fields that an engine needs and that are zero.
func (c *Config) SetDefaults() {
	if c.InFlight == 0 {
		c.InFlight = defaultInFlight
	}
	if c.Dialect != nil {
		c.Traffic.payloads = c.Payloads
	}
	c.OpenTimeout = cmp.Or(c.OpenTimeout, DialTimeout)
	if c.Workers == 0 {
		c.Workers = runtime.NumCPU()
	}
	if c.TLS != nil && c.TLS.ServerName == "" {
		c.TLS = c.TLS.Clone()
		c.TLS.ServerName, _, _ = net.SplitHostPort(cmp.Or(c.Authority, c.Target)) // the dial reports an invalid target
	}
	c.common = " HTTP/1.1\r\nHost: " + cmp.Or(c.Authority, c.Target) + "\r\nUser-Agent: " + UserAgent + "\r\n"
}

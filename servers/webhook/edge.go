// Package webhook makes the server dial: a client registers a URL, and messages
// are posted to it.
//
// It owns the outgoing connections of a server and the list of allowed addresses. It must
// never lose a message that a receiver has not accepted while it retries, never retry
// without a limit, and never dial an address that is not allowed.
package webhook

import (
	"net/netip"

	"pushbench/servers/wire"
	"pushbench/servers/wire/httpstack"
)

// New makes the edge of a service that delivers only by webhooks.
func New(s *wire.Service, allowed []netip.Prefix) *wire.Edge {
	refuse := func(x httpstack.Exchange, _ *httpstack.Request, _ *wire.Subscribe) {
		x.Respond(s.Refuse(nil)) // this transport has no subscriptions
	}
	e := wire.NewEdge(s, refuse, nil)
	e.End = Enable(s, allowed).Close
	return e
}

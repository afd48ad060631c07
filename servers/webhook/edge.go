// Package webhook has the server dial: whoever can be reached leaves a URL, and what is
// published is posted to it.
//
// It owns the connections out of a server, and who may be at their other end. It must
// never lose a message that a receiver has not accepted as long as it tries, never try
// for ever, and never dial an address that it was not allowed.
package webhook

import (
	"net/netip"

	"pushbench/servers/wire"
	"pushbench/servers/wire/httpstack"
)

// New makes the edge of a service, from which nothing comes down but by webhooks.
func New(s *wire.Service, allowed []netip.Prefix) *wire.Edge {
	refuse := func(x httpstack.Exchange, _ *httpstack.Request, _ *wire.Subscribe) {
		x.Respond(s.Refuse(nil)) // this transport has no subscriptions
	}
	e := wire.NewEdge(s, refuse, nil)
	e.End = Enable(s, allowed).Close
	return e
}

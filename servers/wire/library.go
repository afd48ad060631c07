package wire

import (
	"pushbench/scenarios/transports"
	"pushbench/servers/wire/httpstack"
)

// A Stack says which HTTP library the edges are built on. Everything else, the
// hub, the caches, the sockets and their writes, the limits and the counters,
// is the same code on all of them, so that what differs is the library's.
type Library string

// Reference is each transport on what people deploy it on: polling and event
// streams on fasthttp, WebSocket on net/http. On the other two all transports
// are on the one library. WebSocket frames are gorilla's everywhere.
const (
	Reference Library = "reference"
	NetHTTP           = Library(httpstack.NetHTTP)
	FastHTTP          = Library(httpstack.FastHTTP)
)

// Stacks are all there are.
var Libraries = []Library{Reference, NetHTTP, FastHTTP}

// library is what a transport is really built on.
func (s Library) httpLibrary(t transports.Transport) httpstack.Library {
	switch {
	case s != Reference:
		return httpstack.Library(s)
	case t.Upgrades:
		return httpstack.NetHTTP
	}
	return httpstack.FastHTTP
}

// unreadable answers what the library could not make a request of.
func (s *Service) unreadable(err error) httpstack.Response {
	s.Count.request(unknownEndpoint)
	return s.refuse(unreadable[err])
}

var unreadable = map[error]*Error{
	httpstack.ErrMalformed:      errBadRequest,
	httpstack.ErrHeaderTooLarge: errHeaderTooLarge,
	httpstack.ErrBodyTooLarge:   errPayloadTooLarge,
	httpstack.ErrTimeout:        errTimeout,
}

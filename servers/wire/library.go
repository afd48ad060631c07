package wire

import (
	"pushbench/scenarios/transports"
	"pushbench/servers/wire/httpstack"
)

// A Library is the HTTP library below the edges. Everything else, the
// hub, the caches, the sockets and their writes, the limits and the counters,
// is the same code on all of them, so that differences are due to the library.
type Library string

// Reference is the usual choice in deployments: polling and event
// streams on fasthttp, WebSocket on net/http. With the other two all transports
// use the one library. gorilla handles WebSocket frames on all of them.
const (
	Reference Library = "reference"
	NetHTTP           = Library(httpstack.NetHTTP)
	FastHTTP          = Library(httpstack.FastHTTP)
)

// Libraries are all libraries.
var Libraries = []Library{Reference, NetHTTP, FastHTTP}

// httpLibrary returns the actual HTTP library of a transport.
func (l Library) httpLibrary(t transports.Transport) httpstack.Library {
	if l == Reference {
		return httpstack.Library(t.ReferenceLibrary())
	}
	return httpstack.Library(l)
}

// unreadable returns the response to a request that no library may see, or whose body does not arrive.
func (s *Service) unreadable(err error) httpstack.Response {
	s.Count.request(unknownEndpoint)
	return s.refuse(unreadable[err])
}

var unreadable = map[error]*Error{
	httpstack.ErrMalformed:        errBadRequest,
	httpstack.ErrHeaderTooLarge:   errHeaderTooLarge,
	httpstack.ErrBodyTooLarge:     errPayloadTooLarge,
	httpstack.ErrNoRoom:           errBusy,
	httpstack.ErrTimeout:          errTimeout,
	httpstack.ErrUnexpectedBody:   errUnexpectedBody,
	httpstack.ErrTransferEncoding: errLengthRequired,
	httpstack.ErrExpectation:      errExpectation,
	httpstack.ErrVersion:          errVersion,
}

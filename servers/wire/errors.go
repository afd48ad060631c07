package wire

import (
	"errors"

	"pushbench/servers/hub"
	"pushbench/servers/wire/httpstack"
)

// An Error is a response that refuses a request. Code is stable and for programs, Message
// is one sentence for people; neither contains anything that the client sent.
type Error struct {
	Status  int // HTTP
	Code    string
	Message string

	allow   string // the allowed methods
	version string // the supported WebSocket version
	closes  bool   // the rest of the connection's bytes cannot be trusted
}

// Error returns the message for people.
func (e *Error) Error() string { return e.Message }

func (e *Error) body() []byte {
	return []byte(`{"error":"` + e.Code + `","message":"` + e.Message + `"}`)
}

// All errors of the contract; PROTOCOL.md lists them in this order.
var (
	errBadRequest        = &Error{Status: 400, Code: "bad_request", Message: "The request is not well-formed HTTP/1.1.", closes: true}
	errUnexpectedBody    = &Error{Status: 400, Code: "unexpected_body", Message: "Only a publish has a body.", closes: true}
	errBadQuery          = &Error{Status: 400, Code: "bad_query", Message: "The query is not a list of name=value with valid escapes."}
	errUnknownParameter  = &Error{Status: 400, Code: "unknown_parameter", Message: "The query has a parameter that is unknown to this endpoint."}
	errRepeatedParameter = &Error{Status: 400, Code: "repeated_parameter", Message: "A parameter other than topic is given twice."}
	errMissingTopic      = &Error{Status: 400, Code: "missing_topic", Message: "Name at least one topic."}
	errBadTopic          = &Error{Status: 400, Code: "bad_topic", Message: "A topic is 1 to 128 bytes of A-Z a-z 0-9 . _ ~ -."}
	errRepeatedTopic     = &Error{Status: 400, Code: "repeated_topic", Message: "A topic is named twice."}
	errTooManyTopics     = &Error{Status: 400, Code: "too_many_topics", Message: "The subscription names more topics than this server allows."}
	errBadCursor         = &Error{Status: 400, Code: "bad_cursor", Message: "The cursor is not one that this protocol writes."}
	errBadDelivery       = &Error{Status: 400, Code: "bad_delivery", Message: "The delivery is every or latest."}
	errBadWait           = &Error{Status: 400, Code: "bad_wait", Message: "The wait is a duration from 0s to this server's maximum poll timeout."}
	ErrHookURL           = &Error{Status: 400, Code: "bad_url", Message: "A webhook's URL is http://ADDRESS:PORT/PATH, with an IP address, in at most 2048 bytes."}
	errUTF8              = &Error{Status: 400, Code: "bad_utf8", Message: "The payload is not valid UTF-8."}
	errForeignOrigin     = &Error{Status: 403, Code: "foreign_origin", Message: "The request is of a page of another site; serve --allow-origin allows an origin."}
	ErrHookTarget        = &Error{Status: 403, Code: "forbidden_url", Message: "This server is not allowed to post to this address."}
	errNotFound          = &Error{Status: 404, Code: "not_found", Message: "There is no such endpoint on this server."}
	errTimeout           = &Error{Status: 408, Code: "timeout", Message: "The request took too long to arrive.", closes: true}
	errCursorAhead       = &Error{Status: 409, Code: "cursor_ahead", Message: "The cursor is beyond what this server has published."}
	errLengthRequired    = &Error{Status: 411, Code: "length_required", Message: "Send a Content-Length, not a Transfer-Encoding.", closes: true}
	errPayloadTooLarge   = &Error{Status: 413, Code: "payload_too_large", Message: "The payload is larger than this server accepts.", closes: true}
	errMediaType         = &Error{Status: 415, Code: "unsupported_media_type", Message: "A payload is text/plain, application/json or application/octet-stream, in UTF-8."}
	errEncoding          = &Error{Status: 415, Code: "unsupported_encoding", Message: "A payload must not have a content coding."}
	errExpectation       = &Error{Status: 417, Code: "expectation_failed", Message: "The only expectation that this server meets is 100-continue.", closes: true}
	errUnknownHost       = &Error{Status: 421, Code: "unknown_host", Message: "The Host is not an address of this server; serve --public-host allows a name.", closes: true}
	errHeaderTooLarge    = &Error{Status: 431, Code: "header_too_large", Message: "The request line and headers are larger than this server accepts.", closes: true}
	errInternal          = &Error{Status: 500, Code: "internal", Message: "The server failed because of a bug.", closes: true}
	ErrHooksFull         = &Error{Status: 503, Code: "webhooks_full", Message: "The server has reached its maximum number of webhooks."}
	errBusy              = &Error{Status: 503, Code: "busy", Message: "The server has no memory left for bodies that have not arrived.", closes: true}
	errHubFull           = &Error{Status: 503, Code: "hub_full", Message: "The server has reached its maximum number of topics, or of bytes of messages."}
)

// errHTTP11 refuses a client that cannot read chunked responses.
var errHTTP11 = &Error{Status: 505, Code: "http_version", Message: "A stream requires HTTP/1.1.", closes: true}

// errVersion refuses other versions of HTTP.
var errVersion = &Error{Status: 505, Code: "http_version", Message: "The server speaks HTTP/1.1 and HTTP/1.0.", closes: true}

func errMethod(allow string) *Error {
	return &Error{Status: 405, Code: "method_not_allowed", Message: "The endpoint does not allow this method.", allow: allow}
}

// ErrUpgrade refuses a request that is not a WebSocket handshake.
var ErrUpgrade = &Error{Status: 400, Code: "bad_upgrade", Message: "The request is not a WebSocket handshake of RFC 6455, version 13.", version: "13"}

// Refuse returns the response for an error.
func (s *Service) Refuse(err error) httpstack.Response {
	var e *Error
	switch {
	case errors.As(err, &e):
	case errors.Is(err, hub.ErrAhead):
		e = errCursorAhead
	default:
		e = errInternal
	}
	return s.refuse(e)
}

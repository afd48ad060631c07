package wire

// A Request is what the contract looks at of an HTTP request, whichever
// library parsed it. Strings may lie in that library's buffers: they are valid
// until the request is answered.
type Request struct {
	Method          string
	Path            string // as sent, not decoded
	Query           string // as sent, without the question mark
	Host            string
	Origins         []string // every Origin header
	ContentType     string
	ContentEncoding string
	LastEventID     string
	HTTP11          bool
	Last            bool // the client wants the connection closed after the answer
	Chunked         bool // a Transfer-Encoding was given
	HasBody         bool // a body was announced, of whatever kind, longer than nothing
	Body            []byte
}

// A Response is an answer, for whichever library writes it. The body is JSON.
// Header bytes and their order are in PROTOCOL.md.
type Response struct {
	Status  int
	Body    []byte // nil: no body and no Content-Type
	Allow   string // of a 405
	Version string // Sec-WebSocket-Version, where a handshake is refused (RFC 6455 section 4.4)
	NoStore bool   // Cache-Control: no-store
	Close   bool   // the connection ends with this answer
}

// NoContent is the answer to a poll for which nothing came.
func (s *Service) NoContent() Response { return s.finish(Response{Status: 204, NoStore: true}) }

// Batch is the answer to a poll for which something came.
func (s *Service) Batch(body []byte) Response {
	return s.finish(Response{Status: 200, Body: body, NoStore: true})
}

package wire

import (
	"context"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"strconv"
	"strings"

	"pushbench/servers/sock"
)

// NewNetHTTP is the net/http server that WebSockets are served by. Its own
// answers to what it cannot parse are text/plain; see PROTOCOL.md.
func (s *Service) NewNetHTTP(handle http.HandlerFunc) *http.Server {
	return &http.Server{
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if failed := s.Guard(func() { handle(w, r) }); failed != nil {
				WriteNetHTTP(w, *failed)
			}
		}),
		ConnContext:                  withConn,
		ErrorLog:                     log.New(io.Discard, "", 0),
		ReadTimeout:                  s.Limits.ReadTimeout,
		IdleTimeout:                  s.Limits.IdleTimeout,
		MaxHeaderBytes:               s.Limits.MaxHeader,
		DisableGeneralOptionsHandler: true,
	}
}

// connKey is where a request's context has its connection.
type connKey struct{}

func withConn(ctx context.Context, c net.Conn) context.Context {
	return context.WithValue(ctx, connKey{}, c)
}

// ConnOf is the connection that a request came on.
func ConnOf(hr *http.Request) *sock.Conn {
	return hr.Context().Value(connKey{}).(*sock.Conn) // what Service.Listen accepts
}

// ReadNetHTTP is the request as the contract sees it; the body is read.
func (s *Service) ReadNetHTTP(w http.ResponseWriter, hr *http.Request) (*Request, error) {
	path, query, _ := strings.Cut(hr.RequestURI, "?")
	r := &Request{
		Method:          hr.Method,
		Path:            path,
		Query:           query,
		Host:            hr.Host,
		Origins:         hr.Header["Origin"],
		ContentType:     hr.Header.Get("Content-Type"),
		ContentEncoding: hr.Header.Get("Content-Encoding"),
		LastEventID:     hr.Header.Get("Last-Event-Id"),
		Chunked:         len(hr.TransferEncoding) > 0,
		HasBody:         hr.ContentLength != 0,
	}
	if r.Chunked || !r.HasBody || r.Method != http.MethodPost {
		return r, nil
	}
	var err error
	r.Body, err = io.ReadAll(http.MaxBytesReader(w, hr.Body, int64(s.Limits.MaxPayload)))
	return r, bodyError(err)
}

func bodyError(err error) error {
	var large *http.MaxBytesError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &large):
		return errPayloadTooLarge
	case errors.Is(err, io.ErrUnexpectedEOF):
		return errBadRequest
	}
	return errTimeout
}

// WriteNetHTTP writes an answer, without net/http's Date.
func WriteNetHTTP(w http.ResponseWriter, r Response) {
	h := w.Header()
	h["Date"] = nil
	if r.Body != nil {
		h.Set("Content-Type", contentType)
		h.Set("Content-Length", strconv.Itoa(len(r.Body)))
	}
	if r.NoStore {
		h.Set("Cache-Control", noStore)
	}
	if r.Allow != "" {
		h.Set("Allow", r.Allow)
	}
	if r.Close {
		h.Set("Connection", "close")
	}
	w.WriteHeader(r.Status)
	_, _ = w.Write(r.Body) // a client that left gets nothing, and that is all
}

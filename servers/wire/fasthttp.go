package wire

import (
	"context"
	"errors"
	"net"
	"strings"
	"time"
	"unsafe"

	"github.com/valyala/fasthttp"
)

// writeBuffer is how large an answer may be and still be one write, in bytes.
// It is lent from a pool while an answer is written.
const writeBuffer = 64 << 10

// idleWorker is how long fasthttp keeps the goroutine of a connection that was
// taken from it. Its default of ten seconds would be counted as our memory.
const idleWorker = 250 * time.Millisecond

// NewFastHTTP is the fasthttp server that polls and streams are served by.
// With ReduceMemoryUsage a connection between two requests holds no buffers.
func (s *Service) NewFastHTTP(handle func(*fasthttp.RequestCtx)) *fasthttp.Server {
	return &fasthttp.Server{
		Handler: func(ctx *fasthttp.RequestCtx) {
			if failed := s.Guard(func() { handle(ctx) }); failed != nil {
				WriteFastHTTP(ctx, *failed)
			}
		},
		HeaderReceived:               markChunked,
		ErrorHandler:                 s.parseError,
		Logger:                       silent{},
		ReadBufferSize:               s.Limits.MaxHeader,
		WriteBufferSize:              writeBuffer,
		ReadTimeout:                  s.Limits.ReadTimeout,
		IdleTimeout:                  s.Limits.IdleTimeout,
		MaxIdleWorkerDuration:        idleWorker,
		MaxRequestBodySize:           s.Limits.MaxPayload,
		ReduceMemoryUsage:            true,
		KeepHijackedConns:            true,
		NoDefaultServerHeader:        true,
		NoDefaultDate:                true,
		NoDefaultContentType:         true,
		DisablePreParseMultipartForm: true,
		SecureErrorLogMessage:        true,
	}
}

// chunkedMark is a header that no client can send, for its name is not a token.
const chunkedMark = ":chunked"

// markChunked notes a Transfer-Encoding while it can be seen: with the body
// read, fasthttp replaces it by a Content-Length, even where both were sent.
func markChunked(h *fasthttp.RequestHeader) fasthttp.RequestConfig {
	if h.ContentLength() == -1 {
		h.Set(chunkedMark, "1")
	}
	return fasthttp.RequestConfig{}
}

// silent drops what fasthttp logs: a client's mistakes are answered and
// counted, and its bytes have no business in a log.
type silent struct{}

func (silent) Printf(string, ...any) {}

// parseError answers what fasthttp could not make a request of.
func (s *Service) parseError(ctx *fasthttp.RequestCtx, err error) {
	s.Count.request(unknownEndpoint)
	var small *fasthttp.ErrSmallBuffer
	var network net.Error
	e := errBadRequest
	switch {
	case errors.As(err, &small):
		e = errHeaderTooLarge
	case errors.Is(err, fasthttp.ErrBodyTooLarge):
		e = errPayloadTooLarge
	case errors.As(err, &network) && network.Timeout():
		e = errTimeout
	}
	WriteFastHTTP(ctx, s.refuse(e))
}

// ReadFastHTTP is the request as the contract sees it.
func ReadFastHTTP(ctx *fasthttp.RequestCtx) *Request {
	h := &ctx.Request.Header
	// Copied: topics are cut from these two and outlive the request.
	path, query, _ := strings.Cut(string(h.RequestURI()), "?")
	r := &Request{
		Method:          text(h.Method()),
		Path:            path,
		Query:           query,
		Host:            text(h.Host()),
		ContentType:     text(h.ContentType()),
		ContentEncoding: text(h.ContentEncoding()),
		LastEventID:     text(h.Peek("Last-Event-ID")),
		Chunked:         len(h.Peek(chunkedMark)) > 0,
		Body:            ctx.Request.Body(),
	}
	r.HasBody = len(r.Body) > 0 || h.ContentLength() > 0
	for _, o := range h.PeekAll(fasthttp.HeaderOrigin) {
		r.Origins = append(r.Origins, text(o))
	}
	return r
}

// text lends a buffer of fasthttp's as a string, until the request is answered.
func text(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

// WriteFastHTTP writes an answer. Its bytes are those of AppendHead.
func WriteFastHTTP(ctx *fasthttp.RequestCtx, r Response) {
	ctx.SetStatusCode(r.Status)
	h := &ctx.Response.Header
	if r.Body != nil {
		h.SetContentType(contentType)
		ctx.Response.SetBodyRaw(r.Body)
	}
	if r.NoStore {
		h.Set(fasthttp.HeaderCacheControl, noStore)
	}
	if r.Allow != "" {
		h.Set(fasthttp.HeaderAllow, r.Allow)
	}
	if r.Close {
		ctx.SetConnectionClose()
	}
}

// stopGrace bounds how long requests that are being read or answered may take
// at shutdown. Handlers take microseconds; what is slow is a client.
const stopGrace = 500 * time.Millisecond

// StopFastHTTP lets running requests finish, for at most stopGrace; what is
// open after that is for FinishShutdown to close.
func StopFastHTTP(ctx context.Context, server *fasthttp.Server) error {
	ctx, cancel := context.WithTimeout(ctx, stopGrace)
	defer cancel()
	err := server.ShutdownWithContext(ctx)
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, net.ErrClosed) {
		return nil // BeginShutdown closed the listener already
	}
	return err
}

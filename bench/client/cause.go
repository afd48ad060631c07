package client

import (
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"strings"
	"syscall"
	"time"

	"pushbench/bench/client/internal/wire"
)

// The delay between attempts to connect grows exponentially with full jitter, so that a
// thousand clients that lost the same server do not reconnect in step.
const (
	backOffBase = 50 * time.Millisecond
	backOffCap  = 2 * time.Second
)

func backOff(attempt int) time.Duration {
	ceiling := min(backOffBase<<min(attempt, 10), backOffCap)
	return time.Duration(rand.Int64N(int64(ceiling)) + 1)
}

// longestCause bounds a cause, in bytes: a server may write a part of it, such as the names of its certificate.
const longestCause = 300

// Cause returns the name of an error for statistics. Names are few and short, so that they can be
// counted: without addresses and ports.
func Cause(err error) string {
	name := cause(err)
	if len(name) > longestCause {
		name = strings.ToValidUTF8(name[:longestCause], "") + "…"
	}
	return name
}

func cause(err error) string {
	for _, known := range causes {
		if errors.Is(err, known.err) {
			return known.name
		}
	}
	var dns *net.DNSError
	var network net.Error
	var operation *net.OpError
	switch {
	case err == nil:
		return causeEnd
	case errors.As(err, &dns):
		return "host not found"
	case errors.As(err, &network) && network.Timeout():
		return "timeout"
	case errors.As(err, &operation):
		return operation.Op + ": " + operation.Err.Error() // without the addresses
	default:
		return err.Error()
	}
}

// ErrSilent is a read timeout: within Config.ReadTimeout no bytes of a stream arrived, or not the whole response to a
// poll. Timeouts of package net are those of opening a connection.
var ErrSilent = errors.New("read timeout: the server sent nothing, or too slowly")

const causeEnd = "connection closed by server"

// errNoClose is the end of a WebSocket between two messages, without a close frame (RFC 6455, section 7.1.1).
var errNoClose = errors.New(causeEnd + " without a close frame")

// causes are the names of errors. Errors of the server precede those that its connection
// reports as a consequence.
var causes = []struct {
	err  error
	name string
}{
	{ErrMalformed, ErrMalformed.Error()},
	{wire.ErrResponse, wire.ErrResponse.Error()},
	{wire.ErrTooLong, wire.ErrTooLong.Error()},
	{wire.ErrMore, wire.ErrMore.Error()},
	{ErrSilent, ErrSilent.Error()},
	{syscall.ECONNREFUSED, "connection refused"},
	{syscall.ECONNRESET, causeReset},
	{syscall.EPIPE, causeReset},
	{syscall.ECONNABORTED, causeReset},
	{syscall.EADDRNOTAVAIL, "no local port left"},
	{syscall.EMFILE, causeDescriptors},
	{syscall.ENFILE, causeDescriptors},
	{net.ErrClosed, "connection closed by client"},
	{io.ErrUnexpectedEOF, "connection closed mid-message"},
	{io.EOF, causeEnd},
}

const (
	causeReset       = "connection reset"
	causeDescriptors = "no file descriptor left"
)

package client

import (
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"syscall"
	"time"

	"pushbench/bench/client/internal/wire"
)

// Reconnecting backs off exponentially with full jitter, so that a thousand
// clients that lost the same server do not come back in step.
const (
	backOffBase = 50 * time.Millisecond
	backOffCap  = 2 * time.Second
)

func backOff(attempt int) time.Duration {
	ceiling := min(backOffBase<<min(attempt, 10), backOffCap)
	return time.Duration(rand.Int64N(int64(ceiling)) + 1)
}

// Cause names an error in few enough ways that they can be counted: no
// addresses, no ports, nothing that a server wrote.
func Cause(err error) string {
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

// ErrSilent is a read timeout: nothing arrived within Config.ReadTimeout. It is none of
// net's timeouts, which are those of a dial.
var ErrSilent = errors.New("heard nothing for too long")

const causeEnd = "connection closed by server"

// causes names errors. What is said of the server comes before what its
// connection did then.
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
	{net.ErrClosed, "connection closed by us"},
	{io.ErrUnexpectedEOF, "connection broke off"},
	{io.EOF, causeEnd},
}

const (
	causeReset       = "connection reset"
	causeDescriptors = "no file descriptor left"
)

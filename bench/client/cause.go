package client

import (
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"syscall"
	"time"

	"github.com/gorilla/websocket"
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

// cause names an error in few enough ways that they can be counted: no
// addresses, no ports, nothing that a server wrote.
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

// errSilent is what came of a connection on which nothing was heard for Config.Patience.
// It is none of net's timeouts: nobody asked for a deadline but us.
var errSilent = errors.New("heard nothing for too long")

const causeEnd = "connection closed by server"

// causes names errors. What is said of the server comes before what its
// connection did then.
var causes = []struct {
	err  error
	name string
}{
	{errMalformed, errMalformed.Error()},
	{errAnswer, errAnswer.Error()},
	{errTooLong, errTooLong.Error()},
	{websocket.ErrReadLimit, errTooLong.Error()},
	{errMore, errMore.Error()},
	{errSilent, errSilent.Error()},
	{syscall.ECONNREFUSED, "connection refused"},
	{syscall.ECONNRESET, causeReset},
	{syscall.EPIPE, causeReset},
	{syscall.ECONNABORTED, causeReset},
	{syscall.EADDRNOTAVAIL, "no local port left"},
	{syscall.EMFILE, causeDescriptors},
	{syscall.ENFILE, causeDescriptors},
	{net.ErrClosed, causeClosed},
	{websocket.ErrCloseSent, causeClosed},
	{io.ErrUnexpectedEOF, "connection broke off"},
	{io.EOF, causeEnd},
}

const (
	causeClosed      = "connection closed by us"
	causeReset       = "connection reset"
	causeDescriptors = "no file descriptor left"
)

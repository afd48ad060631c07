package webhook

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"syscall"
	"time"

	"pushbench/servers/hub"
	"pushbench/servers/wire"
)

// Timeouts of a receiver and delays between attempts. A failed post is
// retried after firstPause, then after twice the previous pause, until giveUp after the first attempt.
const (
	dialTimeout  = 2 * time.Second
	postTimeout  = 5 * time.Second
	firstPause   = 250 * time.Millisecond
	longestPause = 8 * time.Second
	giveUp       = time.Minute
)

// maxDials bounds the dials at a time: each uses goroutines and a descriptor until it fails. Others wait, at most for
// postTimeout.
const maxDials = 256

// maxHeaders bounds the headers of a response, in bytes: net/http would read 10 MB from each receiver.
const maxHeaders = 64 << 10

// newDial makes a dial that reaches only allowed addresses.
func newDial(allows func(netip.Addr) bool) dial {
	dialer := net.Dialer{
		Timeout: dialTimeout, KeepAlive: -1, // a post shows whether a receiver is reachable
		Control: func(_, address string, _ syscall.RawConn) error {
			if at, err := netip.ParseAddrPort(address); err != nil || !allows(at.Addr()) {
				return fmt.Errorf("%s is not allowed", address)
			}
			return nil
		},
	}
	return bounded(dialer.DialContext, maxDials)
}

// newClient makes the client of one webhook, which follows no redirect, and keeps its connection until
// CloseIdleConnections. A pool of all webhooks would keep one for each receiver, or those of ended webhooks.
func newClient(d dial) *http.Client {
	return &http.Client{
		Timeout:       postTimeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{
			DialContext: d, DisableCompression: true, MaxIdleConnsPerHost: 1, MaxResponseHeaderBytes: maxHeaders,
		},
	}
}

// A dial is as net.Dialer.DialContext.
type dial func(ctx context.Context, network, address string) (net.Conn, error)

// bounded returns a dial that lets at most limit dials run at a time.
func bounded(d dial, limit int) dial {
	running := make(chan struct{}, limit)
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		select {
		case running <- struct{}{}:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
		defer func() { <-running }()
		return d(ctx, network, address)
	}
}

// A hook posts to one URL, one batch at a time and in order: the next when the previous one
// was accepted. Messages published in the meantime share the next batch.
type hook struct {
	hooks    *Hooks
	url      string
	client   *http.Client
	follow   *hub.Subscription
	cursor   hub.Cursor
	delivery hub.Delivery
	news     chan struct{} // capacity 1
	cancel   context.CancelFunc
}

// Wake signals that there is something to post. The hub calls it.
func (k *hook) Wake() {
	select {
	case k.news <- struct{}{}:
	default:
	}
}

// Fail ends the webhook after a panic.
func (k *hook) Fail() { k.cancel() }

// run posts until it is cancelled or gives up on the receiver.
func (k *hook) run(ctx context.Context) {
	defer k.hooks.remove(k)
	for ctx.Err() == nil {
		b, err := k.hooks.batches.Next(&k.cursor, k.follow.Set(), k.delivery)
		switch {
		case err != nil: // cannot happen: the cursor was checked at registration
			return
		case b != nil:
			if !k.deliver(ctx, b.Frame) {
				return
			}
			k.hooks.service.Count.Sent(b.Messages, b.Gaps)
			k.cursor = b.Next
		case k.follow.Arm(k.cursor):
			select {
			case <-k.news:
			case <-ctx.Done():
			}
		}
	}
}

// deliver posts until the receiver accepts, and reports whether it did.
func (k *hook) deliver(ctx context.Context, body []byte) bool {
	count := &k.hooks.service.Count.Hooks
	first := time.Now()
	for wait := firstPause; ; wait = min(2*wait, longestPause) {
		count.Do(func(n *wire.HookStats) { n.Posts++ })
		err := k.post(ctx, body)
		switch {
		case err == nil:
			return true
		case ctx.Err() != nil:
			return false
		}
		count.Do(func(n *wire.HookStats) { n.Fail(reason(err)) })
		if errors.Is(err, errUnwanted) || time.Since(first) >= giveUp {
			count.Do(func(n *wire.HookStats) { n.GivenUp++ })
			return false
		}
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return false
		}
	}
}

// Responses of a receiver that does not accept.
var (
	errUnwanted = errors.New("status 410: no longer wanted")
	errRefused  = errors.New("refused by the receiver")
)

// post posts once.
func (k *hook) post(ctx context.Context, body []byte) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, k.url, bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("make the request: %w", err)
	}
	request.GetBody = nil // deliver retries, and counts it
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("User-Agent", "pushbench-webhook")
	response, err := k.client.Do(request)
	if err != nil {
		return fmt.Errorf("post: %w", err)
	}
	defer response.Body.Close()
	const maxBody = 64 << 10 // read, so that the connection can be reused
	_, _ = io.CopyN(io.Discard, response.Body, maxBody)
	switch {
	case response.StatusCode == http.StatusGone:
		return errUnwanted
	case response.StatusCode/100 != 2:
		return errRefused
	}
	return nil
}

// reason returns a short text, under which failed posts are counted.
func reason(err error) string {
	var op *net.OpError
	dialling := errors.As(err, &op) && op.Op == "dial"
	var timeout interface{ Timeout() bool }
	timedOut := errors.As(err, &timeout) && timeout.Timeout() || errors.Is(err, os.ErrDeadlineExceeded)
	switch {
	case errors.Is(err, errUnwanted), errors.Is(err, errRefused):
		return err.Error()
	case dialling && timedOut:
		return "no connection within " + dialTimeout.String()
	case dialling && errors.Is(err, syscall.ECONNREFUSED):
		return "connection refused"
	case dialling && (errors.Is(err, syscall.EHOSTUNREACH) || errors.Is(err, syscall.ENETUNREACH)):
		return "no route"
	case dialling:
		return "no connection"
	case timedOut:
		return "no response within " + postTimeout.String()
	default:
		return "connection lost"
	}
}

package agent

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"pushbench/results"
	"pushbench/results/former"
)

// A probe reads a server's health and its own counters, independently of the load. It counts its
// connections, so that they can be subtracted from those that the server accepted.
type probe struct {
	address string
	scheme  string
	http    http.Client
	dials   atomic.Int64
}

// requestTimeout is the timeout of a request to a server.
const requestTimeout = 5 * time.Second

// newProbe connects from the network namespace of inside, or from the current one if inside is
// nil. It uses TLS unless secured is nil.
func newProbe(address string, secured *tls.Config, inside func(func() error) error) *probe {
	t := &probe{address: address, scheme: "http"}
	if secured != nil {
		t.scheme = "https"
	}
	if inside == nil {
		inside = func(dial func() error) error { return dial() }
	}
	dialer := net.Dialer{KeepAlive: -1}
	t.http = http.Client{
		Timeout:       requestTimeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{
			MaxIdleConnsPerHost: 1,
			TLSClientConfig:     secured,
			DialContext: func(ctx context.Context, network, addr string) (c net.Conn, err error) {
				err = inside(func() error {
					c, err = dialer.DialContext(ctx, network, addr)
					return err
				})
				if err == nil {
					t.dials.Add(1)
				}
				return c, err
			},
		},
	}
	return t
}

// ServerStats is the required part of a server's counters. See servers/PROTOCOL.md.
type ServerStats struct {
	Accepted  int64            `json:"accepted" add:"sum"`
	Requests  map[string]int64 `json:"requests"`
	RepollGap struct {
		Count int64 `json:"count" add:"sum"`
		Sum   int64 `json:"sum_ns" add:"sum"`
	} `json:"repoll_gaps"`
	Webhooks   results.Webhooks `json:"webhooks"`
	Goroutines int64            `json:"goroutines" add:"-"`
	GOMAXPROCS int              `json:"gomaxprocs" add:"-"`
	Library    string           `json:"library"`

	settings map[string]string
}

// ClientRequests is the number of requests from clients, without those of the probe.
func (s ServerStats) ClientRequests() (n int64) {
	for kind, count := range s.Requests {
		if kind != "stats" && kind != "healthz" && kind != "total" {
			n += count
		}
	}
	return n
}

// repollGap is the mean re-poll gap since an earlier reading: the time from sending a response to
// a long poll until the next poll arrives. It is 0 if there were no polls.
func (s ServerStats) repollGap(earlier ServerStats) time.Duration {
	n := s.RepollGap.Count - earlier.RepollGap.Count
	if n <= 0 {
		return 0
	}
	return time.Duration((s.RepollGap.Sum - earlier.RepollGap.Sum) / n)
}

func (t *probe) stats(ctx context.Context) (s ServerStats, err error) {
	const path = "/v1/stats"
	body, err := t.get(ctx, path)
	if err != nil {
		return s, err
	}
	if s, err = readStats(body); err != nil {
		return s, fmt.Errorf("read %s: %w", path, err)
	}
	return s, nil
}

// formerStats are the names of /v1/stats in builds before format version 2, which a baseline may be.
var formerStats = former.Names{
	"stack":    {Now: "library"},
	"rearm":    {Now: "repoll_gaps"},
	"flush_ns": {Now: "batching_delay_ns"},
	"limits":   {In: former.Names{"hold_ns": {Now: "max_poll_timeout_ns"}, "answer_head_bytes": {Now: "response_header_bytes"}}},
}

// readStats reads the /v1/stats of this build or an earlier one.
func readStats(body []byte) (s ServerStats, err error) {
	if body, err = formerStats.Translate(body); err != nil {
		return s, err
	}
	if err = json.Unmarshal(body, &s); err != nil {
		return s, err
	}
	s.settings, err = serverSettings(body)
	return s, err
}

func (t *probe) get(ctx context.Context, path string) (body []byte, err error) {
	defer func() {
		var late net.Error
		switch {
		case errors.As(err, &late) && late.Timeout() && ctx.Err() == nil:
			err = fmt.Errorf("the server did not respond to GET %s within %v: it is stopped, or overloaded", path, t.http.Timeout)
		case err != nil:
			err = fmt.Errorf("get %s: %w", path, err)
		}
	}()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, t.scheme+"://"+t.address+path, nil)
	if err != nil {
		return nil, err
	}
	response, err := t.http.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	const most = 1 << 20
	body, err = io.ReadAll(io.LimitReader(response.Body, most))
	if err == nil && response.StatusCode != http.StatusOK {
		err = fmt.Errorf("status %s", response.Status)
	}
	return body, err
}

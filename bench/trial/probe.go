package trial

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"pushbench/results"
)

// A probe is a server as its run sees it beside the load: its health and its
// own counters. It counts the connections it opens, so that they can be told
// from the clients'.
type probe struct {
	address string
	scheme  string
	http    http.Client
	dials   atomic.Int64
}

// askTimeout bounds one question to a server.
const askTimeout = 5 * time.Second

// newProbe connects from the network namespace that inside leads to, nil: from ours,
// and over TLS unless secured is nil.
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
		Timeout: askTimeout,
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

// serverStats is what of a server's own counters is of use here. See servers/PROTOCOL.md.
type serverStats struct {
	Accepted  int64            `json:"accepted" add:"sum"`
	Requests  map[string]int64 `json:"requests"`
	RepollGap struct {
		Count int64 `json:"count" add:"sum"`
		Sum   int64 `json:"sum_ns" add:"sum"`
	} `json:"rearm"`
	Webhooks   results.Webhooks `json:"webhooks"`
	Goroutines int64            `json:"goroutines" add:"-"`
	GOMAXPROCS int              `json:"gomaxprocs" add:"-"`
	Library    string           `json:"stack"`

	settings map[string]string
}

// load is how many requests came from clients rather than from us.
func (s serverStats) load() (n int64) {
	for kind, count := range s.Requests {
		if kind != "stats" && kind != "healthz" && kind != "total" {
			n += count
		}
	}
	return n
}

// rearm is the mean re-arm gap of the long polls since an earlier reading: from
// an answer's leaving to the next poll's being there. 0 when there were none.
func (s serverStats) rearm(earlier serverStats) time.Duration {
	n := s.RepollGap.Count - earlier.RepollGap.Count
	if n <= 0 {
		return 0
	}
	return time.Duration((s.RepollGap.Sum - earlier.RepollGap.Sum) / n)
}

func (t *probe) stats(ctx context.Context) (s serverStats, err error) {
	const path = "/v1/stats"
	body, err := t.get(ctx, path)
	if err != nil {
		return s, err
	}
	if err = json.Unmarshal(body, &s); err == nil {
		s.settings, err = serverSettings(body)
	}
	if err != nil {
		return s, fmt.Errorf("read %s: %w", path, err)
	}
	return s, nil
}

func (t *probe) get(ctx context.Context, path string) (body []byte, err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("ask %s: %w", path, err)
		}
	}()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, t.scheme+"://"+t.address+path, nil)
	if err != nil {
		return nil, err
	}
	answer, err := t.http.Do(request)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	const most = 1 << 20
	body, err = io.ReadAll(io.LimitReader(answer.Body, most))
	if err == nil && answer.StatusCode != http.StatusOK {
		err = fmt.Errorf("status %s", answer.Status)
	}
	return body, err
}

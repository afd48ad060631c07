package wire

import (
	"encoding/json"
	"maps"
	"os"
	"reflect"
	"runtime"
	"runtime/metrics"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"pushbench/servers/faults"
	"pushbench/servers/hub"
	"pushbench/servers/sock"
)

// An endpoint is the kind under which a request is counted.
type endpoint string

// The endpoints that code refers to by name. Others are in subscriptions, with their paths.
const (
	unknownEndpoint endpoint = "other"
	pollEndpoint    endpoint = "poll"
	sseEndpoint     endpoint = "sse"
	upgradeEndpoint endpoint = "upgrade"
	publishEndpoint endpoint = "publish"
	webhookEndpoint endpoint = "webhook"
	statsEndpoint   endpoint = "stats"
	healthEndpoint  endpoint = "healthz"
)

// Totals are exact totals that an edge counts while it serves, except Subscribers and
// WaitingPolls, which are current values. N is atomic.Int64 for counting and int64
// for reporting.
type Totals[N any] struct {
	Subscribers    N `json:"subscribers"`      // streams, sockets, and polling connections with a subscription
	WaitingPolls   N `json:"waiting_polls"`    // polls that wait for a message
	FramesIn       N `json:"frames_in"`        // WebSocket messages received
	Acks           N `json:"acks_written"`     // subscribe-acks written
	EmptyResponses N `json:"empty_responses"`  // 204 responses
	Batches        N `json:"batches_written"`  // batches written with at least one message or gap
	Messages       N `json:"messages_written"` // messages in them
	Gaps           N `json:"gaps_declared"`    // gap ranges in them
	SlowClosed     N `json:"slow_closed"`      // subscribers closed by the policy for slow consumers
	Panics         N `json:"panics"`
}

// Counters are the counters of a server.
type Counters struct {
	Totals[atomic.Int64]
	RepollGaps Locked[RepollGaps]
	Hooks      Locked[HookStats]

	requests map[endpoint]*atomic.Int64
}

func newRequests() map[endpoint]*atomic.Int64 {
	requests := make(map[endpoint]*atomic.Int64)
	for _, e := range []endpoint{unknownEndpoint, publishEndpoint, webhookEndpoint, statsEndpoint, healthEndpoint} {
		requests[e] = new(atomic.Int64)
	}
	for _, s := range subscriptions {
		requests[s.endpoint] = new(atomic.Int64)
	}
	return requests
}

func (c *Counters) request(e endpoint) { c.requests[e].Add(1) }

// Sent counts a batch.
func (c *Counters) Sent(messages, gaps int) {
	c.Batches.Add(1)
	c.Messages.Add(int64(messages))
	c.Gaps.Add(int64(gaps))
}

// totals reads the totals.
func (c *Counters) totals() (t Totals[int64]) {
	from, to := reflect.ValueOf(&c.Totals).Elem(), reflect.ValueOf(&t).Elem()
	for i := range from.NumField() {
		to.Field(i).SetInt(from.Field(i).Addr().Interface().(*atomic.Int64).Load())
	}
	return t
}

// requestsByName counts HTTP requests by kind. The total excludes stats and healthz:
// those belong to the test setup.
func (c *Counters) requestsByName() map[string]int64 {
	requests := make(map[string]int64)
	for e, count := range c.requests {
		n := count.Load()
		requests[string(e)] = n
		if e != statsEndpoint && e != healthEndpoint {
			requests["total"] += n
		}
	}
	return requests
}

// A Locked is a value that a mutex protects. The zero Locked has the zero value.
type Locked[T any] struct {
	mu    sync.Mutex
	value T
}

// Do calls f with the value, with the mutex held.
func (l *Locked[T]) Do(f func(*T)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	f(&l.value)
}

// RepollGaps are the times during which polling connections had no poll: from the write of a
// response to the processing of that connection's next poll.
type RepollGaps struct {
	Count int64 `json:"count"`
	SumNs int64 `json:"sum_ns"`
	MaxNs int64 `json:"max_ns"`
}

// HookStats counts webhooks and the outcomes of their posts.
type HookStats struct {
	Registered int64             `json:"registered"` // currently
	Posts      int64             `json:"posts"`      // attempted
	Failed     int64             `json:"failed"`     // of those
	GivenUp    int64             `json:"given_up"`   // webhooks that ended because their receiver did not accept a batch
	FailedBy   map[string]uint64 `json:"failed_by,omitempty"`
}

// Fail counts a post that was not accepted.
func (h *HookStats) Fail(reason string) {
	h.Failed++
	if h.FailedBy == nil {
		h.FailedBy = make(map[string]uint64)
	}
	h.FailedBy[reason]++
}

// Stats is the response of /v1/stats; PROTOCOL.md explains each field.
type Stats struct {
	Transport string `json:"transport"`
	Library   string `json:"library"`
	Epoch     string `json:"epoch"`
	PID       int    `json:"pid"`
	UptimeNs  int64  `json:"uptime_ns"`
	sock.Counts
	Totals[int64]
	Requests        map[string]int64 `json:"requests"`
	Published       uint64           `json:"published"`
	Topics          int              `json:"topics"`
	BufferedBytes   int              `json:"buffered_bytes"`
	RepollGaps      RepollGaps       `json:"repoll_gaps"`
	Webhooks        HookStats        `json:"webhooks"`
	Faults          faults.Counts    `json:"faults"`
	Goroutines      int              `json:"goroutines"`
	HeapBytes       uint64           `json:"heap_bytes"`
	GoMaxProcs      int              `json:"gomaxprocs"`
	GoGC            int64            `json:"gogc"`
	BatchingDelayNs time.Duration    `json:"batching_delay_ns"`
	GoMemLimit      uint64           `json:"gomemlimit_bytes"`
	GoVersion       string           `json:"go_version"`
	Sockets         *sock.Options    `json:"sockets,omitempty"`
	Compression     bool             `json:"compression"`
	TLS             bool             `json:"tls"`

	LimitsInForce struct {
		Limits
		hub.Options
	} `json:"limits"`
}

// Stats reads all counters.
func (s *Service) Stats() Stats {
	stats := Stats{
		Transport:       s.transport.Name,
		Library:         string(s.library),
		Epoch:           strconv.FormatUint(s.Hub.Epoch(), 16),
		PID:             os.Getpid(),
		UptimeNs:        int64(time.Since(s.started)),
		Totals:          s.Count.totals(),
		Requests:        s.Count.requestsByName(),
		Published:       s.Hub.Published(),
		Goroutines:      runtime.NumGoroutine(),
		HeapBytes:       readMetric("/memory/classes/heap/objects:bytes"),
		GoMaxProcs:      runtime.GOMAXPROCS(0),
		GoGC:            int64(readMetric("/gc/gogc:percent")), // -1, as the largest uint64, if the collector is off
		BatchingDelayNs: s.Hub.Options().BatchingDelay,
		GoMemLimit:      readMetric("/gc/gomemlimit:bytes"),
		GoVersion:       runtime.Version(),
		TLS:             s.TLS != nil,
	}
	stats.LimitsInForce.Limits, stats.LimitsInForce.Options = s.Limits, s.Hub.Options()
	stats.Topics, stats.BufferedBytes = s.Hub.Buffered()
	if l := s.listener.Load(); l != nil {
		stats.Counts = l.Counts()
		stats.SlowClosed += int64(stats.Stalled)
		if o, ok := l.Options(); ok {
			stats.Sockets = &o
		}
	}
	if s.faults != nil {
		stats.Faults = s.faults.Counts()
	}
	s.Count.RepollGaps.Do(func(g *RepollGaps) { stats.RepollGaps = *g })
	s.Count.Hooks.Do(func(h *HookStats) {
		stats.Webhooks = *h
		stats.Webhooks.FailedBy = maps.Clone(h.FailedBy)
	})
	return stats
}

func (s *Service) statsBody() []byte {
	body, err := json.Marshal(s.Stats())
	if err != nil {
		panic(err) // cannot happen: a struct of numbers and strings always marshals
	}
	return body
}

// readMetric reads one runtime metric without stopping the world.
func readMetric(name string) uint64 {
	sample := []metrics.Sample{{Name: name}}
	metrics.Read(sample)
	if sample[0].Value.Kind() != metrics.KindUint64 {
		return 0
	}
	return sample[0].Value.Uint64()
}

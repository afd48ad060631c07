package wire

import (
	"encoding/json"
	"maps"
	"os"
	"runtime"
	"runtime/metrics"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"pushbench/servers/faults"
	"pushbench/servers/sock"
)

// An endpoint is a kind of request, as the counters tell them apart.
type endpoint int

const (
	unknownEndpoint endpoint = iota
	pollEndpoint
	sseEndpoint
	upgradeEndpoint
	publishEndpoint
	webhookEndpoint
	statsEndpoint
	healthEndpoint
	endpoints
)

var subscribeEndpoints = map[string]endpoint{
	"/v1/poll": pollEndpoint,
	"/v1/sse":  sseEndpoint,
	"/v1/ws":   upgradeEndpoint,
}

// Counters are what an edge counts while it serves; all are exact totals
// except Subscribers and Parked, which are the present number.
type Counters struct {
	Subscribers atomic.Int64  // streams, sockets, and polling connections that hold a subscription
	Parked      atomic.Int64  // polls being held
	Batches     atomic.Uint64 // batches written with at least one message or gap
	Messages    atomic.Uint64 // messages in them
	Gaps        atomic.Uint64 // gap ranges in them
	Acks        atomic.Uint64 // subscribe-acks written
	Empty       atomic.Uint64 // 204 answers
	FramesIn    atomic.Uint64 // WebSocket messages received
	SlowClosed  atomic.Uint64 // subscribers closed by the slow-consumer policy
	Panics      atomic.Uint64
	Rearm       Rearm
	Hooks       Hooks

	requests [endpoints]atomic.Uint64
}

func (c *Counters) request(e endpoint) { c.requests[e].Add(1) }

// Sent counts a batch that is being written.
func (c *Counters) Sent(messages, gaps int) {
	c.Batches.Add(1)
	c.Messages.Add(uint64(messages))
	c.Gaps.Add(uint64(gaps))
}

// A Rearm accumulates how long polling connections were without a poll: from
// an answer's write to the processing of that connection's next poll.
type Rearm struct{ count, sum, longest atomic.Int64 }

// Add counts one gap.
func (r *Rearm) Add(d time.Duration) {
	r.count.Add(1)
	r.sum.Add(int64(d))
	for {
		longest := r.longest.Load()
		if int64(d) <= longest || r.longest.CompareAndSwap(longest, int64(d)) {
			return
		}
	}
}

// Hooks counts webhooks and what became of their posts.
type Hooks struct {
	Registered atomic.Int64  // at present
	Posts      atomic.Uint64 // tried
	GivenUp    atomic.Uint64 // webhooks that ended because their receiver did not take what it was owed

	mu     sync.Mutex
	failed map[string]uint64 // posts, by reason
}

// Fail counts a post that was not accepted.
func (h *Hooks) Fail(reason string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.failed == nil {
		h.failed = make(map[string]uint64)
	}
	h.failed[reason]++
}

func (h *Hooks) stats() HookStats {
	h.mu.Lock()
	defer h.mu.Unlock()
	s := HookStats{Registered: h.Registered.Load(), Posts: h.Posts.Load(), GivenUp: h.GivenUp.Load(), FailedBy: maps.Clone(h.failed)}
	for _, n := range h.failed {
		s.Failed += n
	}
	return s
}

// HookStats is Hooks as written.
type HookStats struct {
	Registered int64             `json:"registered"`
	Posts      uint64            `json:"posts"`
	Failed     uint64            `json:"failed"`
	GivenUp    uint64            `json:"given_up"`
	FailedBy   map[string]uint64 `json:"failed_by,omitempty"`
}

// Stats is what /v1/stats answers; PROTOCOL.md says what each field means.
type Stats struct {
	Transport     string        `json:"transport"`
	Stack         string        `json:"stack"`
	Epoch         string        `json:"epoch"`
	PID           int           `json:"pid"`
	UptimeNs      int64         `json:"uptime_ns"`
	Accepted      uint64        `json:"accepted"`
	Open          uint64        `json:"open"`
	AcceptErrors  uint64        `json:"accept_errors"`
	Subscribers   int64         `json:"subscribers"`
	Parked        int64         `json:"parked"`
	Requests      RequestStats  `json:"requests"`
	FramesIn      uint64        `json:"frames_in"`
	Published     uint64        `json:"published"`
	AcksWritten   uint64        `json:"acks_written"`
	EmptyAnswers  uint64        `json:"empty_answers"`
	Batches       uint64        `json:"batches_written"`
	Messages      uint64        `json:"messages_written"`
	GapsDeclared  uint64        `json:"gaps_declared"`
	BytesIn       uint64        `json:"bytes_in"`
	BytesOut      uint64        `json:"bytes_out"`
	SlowClosed    uint64        `json:"slow_closed"`
	Panics        uint64        `json:"panics"`
	Rearm         RearmStats    `json:"rearm"`
	Webhooks      HookStats     `json:"webhooks"`
	Faults        faults.Counts `json:"lies"`
	Goroutines    int           `json:"goroutines"`
	HeapBytes     uint64        `json:"heap_bytes"`
	GoMaxProcs    int           `json:"gomaxprocs"`
	GoGC          int64         `json:"gogc"`
	FlushNs       int64         `json:"flush_ns"`
	GoMemLimit    uint64        `json:"gomemlimit_bytes"`
	GoVersion     string        `json:"go_version"`
	Sockets       *sock.Options `json:"sockets,omitempty"`
	Compression   bool          `json:"compression"`
	TLS           bool          `json:"tls"`
	LimitsInForce LimitStats    `json:"limits"`
}

// RequestStats counts HTTP requests by kind. Total leaves stats and healthz
// out: those are the rig's own.
type RequestStats struct {
	Total   uint64 `json:"total"`
	Poll    uint64 `json:"poll"`
	SSE     uint64 `json:"sse"`
	Upgrade uint64 `json:"upgrade"`
	Publish uint64 `json:"publish"`
	Webhook uint64 `json:"webhook"`
	Other   uint64 `json:"other"`
	Stats   uint64 `json:"stats"`
	Healthz uint64 `json:"healthz"`
}

// RearmStats is a Rearm as written.
type RearmStats struct {
	Count int64 `json:"count"`
	SumNs int64 `json:"sum_ns"`
	MaxNs int64 `json:"max_ns"`
}

// LimitStats is Limits and hub.Options as written.
type LimitStats struct {
	MaxPayload    int    `json:"max_payload_bytes"`
	MaxTopics     int    `json:"max_topics_per_subscription"`
	HubTopics     int    `json:"max_topics"`
	MaxHeader     int    `json:"max_header_bytes"`
	MaxBatch      int    `json:"max_batch_bytes"`
	RingMessages  int    `json:"ring_messages"`
	RingBytes     int    `json:"ring_bytes"`
	HoldNs        int64  `json:"hold_ns"`
	ReadTimeoutNs int64  `json:"read_timeout_ns"`
	IdleTimeoutNs int64  `json:"idle_timeout_ns"`
	SlowAfterNs   int64  `json:"slow_after_ns"`
	HeartbeatNs   int64  `json:"heartbeat_ns"`
	AnswerHead    int    `json:"answer_head_bytes"`
	Slow          string `json:"slow_consumer"`
}

// Stats reads all counters.
func (s *Service) Stats() Stats {
	var sockets sock.Counts
	var options *sock.Options
	if l := s.listener.Load(); l != nil {
		sockets = l.Counts()
		if o, ok := l.Options(); ok {
			options = &o
		}
	}
	var injected faults.Counts
	if s.faults != nil {
		injected = s.faults.Counts()
	}
	c := &s.Count
	return Stats{
		Transport:     s.transport,
		Stack:         string(s.stack),
		Epoch:         strconv.FormatUint(s.Hub.Epoch(), 16),
		PID:           os.Getpid(),
		UptimeNs:      int64(time.Since(s.started)),
		Accepted:      sockets.Accepted,
		Open:          sockets.Open,
		AcceptErrors:  sockets.AcceptErrors,
		Subscribers:   c.Subscribers.Load(),
		Parked:        c.Parked.Load(),
		Requests:      c.requestStats(),
		FramesIn:      c.FramesIn.Load(),
		Published:     s.Hub.Published(),
		AcksWritten:   c.Acks.Load(),
		EmptyAnswers:  c.Empty.Load(),
		Batches:       c.Batches.Load(),
		Messages:      c.Messages.Load(),
		GapsDeclared:  c.Gaps.Load(),
		BytesIn:       sockets.BytesIn,
		BytesOut:      sockets.BytesOut,
		SlowClosed:    c.SlowClosed.Load() + sockets.Stalled,
		Panics:        c.Panics.Load(),
		Rearm:         c.Rearm.stats(),
		Webhooks:      c.Hooks.stats(),
		Faults:        injected,
		Goroutines:    runtime.NumGoroutine(),
		HeapBytes:     readMetric("/memory/classes/heap/objects:bytes"),
		GoMaxProcs:    runtime.GOMAXPROCS(0),
		GoGC:          goGC(),
		FlushNs:       int64(s.Hub.Options().Flush),
		GoMemLimit:    readMetric("/gc/gomemlimit:bytes"),
		GoVersion:     runtime.Version(),
		Sockets:       options,
		TLS:           s.TLS != nil,
		LimitsInForce: s.limitStats(),
	}
}

func (s *Service) statsBody() []byte {
	body, err := json.Marshal(s.Stats())
	if err != nil {
		panic(err) // a struct of numbers and strings always marshals
	}
	return body
}

func (c *Counters) requestStats() RequestStats {
	n := func(e endpoint) uint64 { return c.requests[e].Load() }
	r := RequestStats{
		Poll:    n(pollEndpoint),
		SSE:     n(sseEndpoint),
		Upgrade: n(upgradeEndpoint),
		Publish: n(publishEndpoint),
		Webhook: n(webhookEndpoint),
		Other:   n(unknownEndpoint),
		Stats:   n(statsEndpoint),
		Healthz: n(healthEndpoint),
	}
	r.Total = r.Poll + r.SSE + r.Upgrade + r.Publish + r.Webhook + r.Other
	return r
}

func (r *Rearm) stats() RearmStats {
	return RearmStats{Count: r.count.Load(), SumNs: r.sum.Load(), MaxNs: r.longest.Load()}
}

func (s *Service) limitStats() LimitStats {
	l, o := s.Limits, s.Hub.Options()
	return LimitStats{
		MaxPayload:    l.MaxPayload,
		MaxTopics:     l.MaxTopics,
		HubTopics:     o.MaxTopics,
		MaxHeader:     l.MaxHeader,
		MaxBatch:      o.MaxBatchBytes,
		RingMessages:  o.RingMessages,
		RingBytes:     o.RingBytes,
		HoldNs:        int64(l.Hold),
		ReadTimeoutNs: int64(l.ReadTimeout),
		IdleTimeoutNs: int64(l.IdleTimeout),
		SlowAfterNs:   int64(l.SlowAfter),
		HeartbeatNs:   int64(l.Heartbeat),
		AnswerHead:    l.AnswerHead,
		Slow:          string(l.Slow),
	}
}

// readMetric reads one number of the runtime's without stopping the world.
func readMetric(name string) uint64 {
	sample := []metrics.Sample{{Name: name}}
	metrics.Read(sample)
	if sample[0].Value.Kind() != metrics.KindUint64 {
		return 0
	}
	return sample[0].Value.Uint64()
}

// goGC is GOGC as set, -1 if the collector is off.
func goGC() int64 {
	percent := readMetric("/gc/gogc:percent")
	if percent == ^uint64(0) {
		return -1
	}
	return int64(percent)
}

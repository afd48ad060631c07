package generator

import (
	"time"

	"pushbench/bench/clock"
	"pushbench/bench/validity"
	"pushbench/results"
)

// Run and generator speak in lines of JSON over the generator's standard input
// and output. Closing the input ends the generator: none outlives its run.

// An Order is what a run tells a generator. Exactly one field is set.
type Order struct {
	Gauge   *Gauge   `json:"gauge,omitempty"`
	Prepare *Prepare `json:"prepare,omitempty"`
	Connect *Connect `json:"connect,omitempty"`
	Start   *Start   `json:"start,omitempty"`
	Stop    *Stop    `json:"stop,omitempty"`
}

// Prepare says what the trial is. Answered by Prepared.
type Prepare struct {
	Certificate      string `json:"certificate,omitempty"` // of a target with TLS, PEM
	Scenario         string `json:"scenario"`              // resolved YAML
	Transport        string `json:"transport"`
	Target           string `json:"target"`  // host:port
	Replica          int    `json:"replica"` // whose clients to be: of the scenario's servers, from 0
	Repetition       int    `json:"block"`
	Run              uint32 `json:"run"`               // stamped into every payload
	Engine           string `json:"engine"`            // which engine the clients run on
	Discard          bool   `json:"discard,omitempty"` // keep no record of what is received: see Observe
	BackendNamespace int    `json:"beside,omitempty"`  // descriptor of the network namespace that a backend stands in; 0: the generator's own
}

// Connect opens all clients. Answered by Connected.
type Connect struct{}

// Start begins the warm-up at an instant of the shared clock. Answered by
// Intervals, one a second, and in the end by Done.
type Start struct {
	At clock.Instant `json:"at"`
}

// Stop ends the publishing with what is due by now, which is still drained. It may
// come any time after Start.
type Stop struct{}

// fields is how many are set.
func (o Order) fields() (n int) {
	for _, is := range []bool{o.Gauge != nil, o.Prepare != nil, o.Connect != nil, o.Start != nil, o.Stop != nil} {
		if is {
			n++
		}
	}
	return n
}

// A Message is what a generator tells its run. Exactly one field is set.
type Message struct {
	Gauged    *Gauged           `json:"gauged,omitempty"`
	Prepared  *Prepared         `json:"prepared,omitempty"`
	Connected *results.Connect  `json:"connected,omitempty"`
	Interval  *results.Interval `json:"interval,omitempty"`
	Done      *Outcome          `json:"done,omitempty"`
	Failed    string            `json:"failed,omitempty"` // the generator cannot go on
}

// Prepared says that the plan is made.
type Prepared struct{}

// An Outcome is a generator's part of a trial.
type Outcome struct {
	Publishes  results.Publishes        `json:"publishes"`
	Ledger     results.Ledger           `json:"ledger"`
	Latency    results.Latency          `json:"latency"`
	Ack        results.Latency          `json:"ack"`
	Age        results.AgeOfInformation `json:"freshness"`
	Replies    results.Replies          `json:"answers,omitzero"`
	Visits     results.Visits           `json:"visits,omitzero"`
	Span       time.Duration            `json:"span_ns" add:"max"`
	Delivered  int64                    `json:"delivered" add:"sum"`  // over the span
	Wire       results.Wire             `json:"wire"`                 // over the span
	Total      results.Wire             `json:"total"`                // since the first dial, all sessions closed
	Abandoned  int64                    `json:"abandoned" add:"sum"`  // dials that were under way when their session was closed
	Goroutines int64                    `json:"goroutines" add:"sum"` // with all clients connected
	Broken     map[string]int64         `json:"broken"`               // connections that ended otherwise than by us
	Cut        bool                     `json:"cut"`                  // stopped before its plan ended
	Flight     validity.Flight          `json:"flight" walk:"-"`
	Settings   map[string]string        `json:"settings"` // what it ran with
}

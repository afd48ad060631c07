package generator

import (
	"time"

	"pushbench/bench/clock"
	"pushbench/bench/validity"
	"pushbench/results"
)

// Run and load generator exchange lines of JSON over the generator's standard input and output.
// When the input closes, the load generator ends, so that it never outlives its run.

// A Command is sent by the run to a load generator. Exactly one field is set.
type Command struct {
	MeasureCeiling *MeasureCeiling `json:"measure_ceiling,omitempty"`
	Prepare        *Prepare        `json:"prepare,omitempty"`
	Connect        *Connect        `json:"connect,omitempty"`
	Collect        *Collect        `json:"collect,omitempty"`
	Start          *Start          `json:"start,omitempty"`
	Stop           *Stop           `json:"stop,omitempty"`
}

// Prepare describes the trial. The load generator reports Prepared.
type Prepare struct {
	Certificate      string `json:"certificate,omitempty"` // of the target, PEM; empty without TLS
	Scenario         string `json:"scenario"`              // resolved YAML
	Transport        string `json:"transport"`
	Target           string `json:"target"`                  // host:port
	Authority        string `json:"authority,omitempty"`     // host:port that requests name; empty: the target
	Protocol         string `json:"protocol,omitempty"`      // target file with the protocol of the server; empty: pushbench's own
	ProtocolPath     string `json:"protocol_path,omitempty"` // path of the target file
	Replica          int    `json:"replica"`                 // index of the replica whose clients to run, from 0
	Repetition       int    `json:"repetition"`
	Run              uint32 `json:"run"`                         // run ID, part of every payload
	Engine           string `json:"engine"`                      // the clients' engine
	Discard          bool   `json:"discard,omitempty"`           // do not record received messages: see sinks
	BackendNamespace int    `json:"backend_namespace,omitempty"` // descriptor of the backend's network namespace; 0: the load generator's own

	Limits *Limits `json:"limits,omitempty"` // of another host; nil: none
}

// Connect opens the next clients. The load generator reports Connected, about all clients so far.
type Connect struct {
	Clients int `json:"clients,omitempty"` // number of clients to open; 0: all that are not open
}

// Collect collects garbage and returns memory to the system. It is valid between Connected and Start. The load generator
// reports Collected.
type Collect struct{}

// Start begins the warm-up at an instant of the shared clock. The load generator reports an
// Interval per second, and finally Done.
type Start struct {
	At clock.Instant `json:"at"`
}

// Stop ends the publishing: messages due by now are still published and drained. It is valid any
// time after Start.
type Stop struct{}

// fields is the number of fields that are set.
func (c Command) fields() (n int) {
	for _, set := range []bool{c.MeasureCeiling != nil, c.Prepare != nil, c.Connect != nil, c.Collect != nil, c.Start != nil, c.Stop != nil} {
		if set {
			n++
		}
	}
	return n
}

// A Report is sent by a load generator to the run. Exactly one field is set.
type Report struct {
	Ceiling   *Ceiling          `json:"ceiling,omitempty"`
	Prepared  *Prepared         `json:"prepared,omitempty"`
	Connected *results.Connect  `json:"connected,omitempty"`
	Collected *Collected        `json:"collected,omitempty"`
	Interval  *results.Interval `json:"interval,omitempty"`
	Done      *Outcome          `json:"done,omitempty"`
	Failed    string            `json:"failed,omitempty"` // reason why the load generator cannot continue
}

// Prepared reports that the plan is ready.
type Prepared struct{}

// Collected reports that the garbage is collected.
type Collected struct{}

// An Outcome is a load generator's part of a trial.
type Outcome struct {
	Publishes  results.Publishes        `json:"publishes"`
	Ledger     results.Ledger           `json:"ledger"`
	Latency    results.Latency          `json:"latency"`
	Ack        results.Latency          `json:"ack"`
	Age        results.AgeOfInformation `json:"age"`
	Replies    results.Replies          `json:"replies,omitzero"`
	ShortLived results.ShortLived       `json:"short_lived,omitzero"`
	Span       time.Duration            `json:"span_ns" add:"max"`
	Delivered  int64                    `json:"delivered" add:"sum"`  // over the span
	Wire       results.Wire             `json:"wire"`                 // over the span
	Total      results.Wire             `json:"total"`                // since the first dial, all sessions closed
	Abandoned  int64                    `json:"abandoned" add:"sum"`  // dials in progress when their session was closed
	Goroutines int64                    `json:"goroutines" add:"sum"` // with all clients connected
	Broken     map[string]int64         `json:"broken"`               // connections that the load generator did not close itself, by cause
	Cut        bool                     `json:"cut"`                  // stopped before its plan ended
	InFlight   validity.InFlight        `json:"in_flight" walk:"-"`
	Settings   map[string]string        `json:"settings"`
}

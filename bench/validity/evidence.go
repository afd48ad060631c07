package validity

import (
	"time"

	"pushbench/results"
)

// Evidence is what the checks judge: a trial, and what its test setup knows beside it.
type Evidence struct {
	Trial  results.Trial
	Exact  bool          // the engine of the clients counts bytes exactly
	Stalls Stalls        // in the window; none: no monitor
	Least  Nearest       // times that the link allows
	Link   *results.Link // of packets; nil: there is none

	Throttled     int64 // times in the window that our control group's quota stopped us
	ThrottleShown bool  // whether this system counts them
	Flight        Flight
	Window        time.Duration
	Seconds       []results.Interval // of the whole trial
	Due           []Due              // in each second of the window; none: unknown
	Margin        float64            // relative difference that matters to the run
	Poll          time.Duration      // interval of short polling; 0: another transport

	Accepted           int64        // connections the server accepted from the clients
	Served             int64        // requests the server had from the clients
	Total              results.Wire // since the first dial
	NeverTried         int64        // planned publications that the generator never tried
	Abandoned          int64        // dials under way when their session was closed: accepted or not
	ServerRequested    []int        // cores the server was to run on; none: any
	ServerGot          []int
	GeneratorRequested []int
	GeneratorGot       []int

	Ceiling float64           // publications and deliveries a second that the generator does without sockets
	Offered float64           // publications and deliveries a second that the trial asks of it
	Watched time.Duration     // from the first reading of the processes' clocks to the last
	First   map[string]string // settings of the run's first trial; none: this is it
	Before  map[string]string // of its first trial of the same kind
}

// Nearest are the least times that a link allows.
type Nearest struct{ Connect, Deliver time.Duration }

// Due is what is due in a second: sums over its messages.
type Due struct {
	Pairs   int64 // subscribers: each message is owed to so many
	Squares int64 // their squares
}

// fanOut is the mean fan-out that a delivery is part of: how many others are written to
// in its time.
func (d Due) fanOut() float64 {
	if d.Pairs == 0 {
		return 0
	}
	return float64(d.Squares) / float64(d.Pairs)
}

package validity

import (
	"time"

	"pushbench/results"
)

// Evidence is the input of the checks: a trial, and additional measurements of its test setup.
type Evidence struct {
	Trial    results.Trial
	Exact    bool          // the clients' engine counts bytes exactly
	Pauses   Pauses        // in the whole trial
	Stalls   Stalls        // in the window; nil: not monitored
	MinTimes MinTimes      // minimum times of the link
	Link     *results.Link // emulated link; nil: none

	Throttled     int64         // times in the window that the cgroup's CPU quota was exhausted
	ThrottleShown bool          // whether the operating system counts them
	OtherUser     time.Duration // user time of other processes in the window, on the cores of server and load generator
	OtherCores    int           // number of these cores; 0: OtherUser is unknown
	InFlight      InFlight
	Window        time.Duration
	Seconds       []results.Interval // of the whole trial
	Due           []Due              // in each second of the window; nil: unknown
	Margin        float64            // relative difference that matters to the run
	Poll          time.Duration      // interval of short polling; 0: another transport

	Silent             bool         // the server is a target, which reports nothing about itself
	Accepted           int64        // connections that the server accepted from the clients
	Overflows          int64        // connections that the kernel dropped from full listen queues in the server's network namespace
	Backlog            string       // net.core.somaxconn; empty: unknown
	Served             int64        // requests that the server received from the clients
	Total              results.Wire // since the first dial
	NeverTried         int64        // planned publications that the load generator never tried
	Abandoned          int64        // dials in progress when their session was closed: accepted or not
	ServerRequested    []int        // cores requested for the server; empty: any
	ServerGot          []int
	GeneratorRequested []int
	GeneratorGot       []int

	Ceiling     float64           // the load generator's maximum rate without sockets: publications + deliveries per second
	Rate        float64           // planned publications + deliveries per second
	CPUInterval time.Duration     // from the first reading of the processes' CPU time to the last
	First       map[string]string // settings of the run's first trial; nil: this is the first
	Before      map[string]string // settings of the run's first trial of the same configuration; nil: this is the first
}

// MinTimes are the minimum times of a link.
type MinTimes struct{ Connect, Deliver time.Duration }

// Due describes the messages due in one second.
type Due struct {
	Pairs   int64 // subscribers, summed over the messages
	Squares int64 // squared number of subscribers, summed over the messages
}

// fanOut is the mean fan-out, weighted by deliveries: each delivery counts the number of
// subscribers of its message.
func (d Due) fanOut() float64 {
	if d.Pairs == 0 {
		return 0
	}
	return float64(d.Squares) / float64(d.Pairs)
}

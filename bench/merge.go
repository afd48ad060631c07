package bench

import (
	"maps"
	"slices"

	"pushbench/results"
)

func mergeCounts(to, from map[string]int64) {
	for _, key := range slices.Sorted(maps.Keys(from)) {
		to[key] += from[key]
	}
}

func mergeConnect(to *results.Connect, from results.Connect) {
	if all := to.Clients + from.Clients; all > 0 {
		to.RoundTrips = (to.RoundTrips*float64(to.Clients) + from.RoundTrips*float64(from.Clients)) / float64(all)
	}
	to.Clients += from.Clients
	to.BytesUp += from.BytesUp
	to.BytesDown += from.BytesDown
	to.Failed += from.Failed
	mergeCounts(to.FailedBy, from.FailedBy)
	for name, h := range from.Stages {
		sum := to.Stages[name]
		sum.Merge(h)
		to.Stages[name] = sum
	}
}

// minus is what was counted since an earlier reading.
func minus(a, b results.Wire) results.Wire {
	return results.Wire{
		Up:           minusDirection(a.Up, b.Up),
		Down:         minusDirection(a.Down, b.Down),
		Requests:     a.Requests - b.Requests,
		Polls:        a.Polls - b.Polls,
		EmptyAnswers: a.EmptyAnswers - b.EmptyAnswers,
		Batches:      a.Batches - b.Batches,
		Dials:        a.Dials - b.Dials,
		Reconnects:   a.Reconnects - b.Reconnects,
	}
}

func minusDirection(a, b results.Direction) results.Direction {
	return results.Direction{
		Bytes:    a.Bytes - b.Bytes,
		Payload:  a.Payload - b.Payload,
		Envelope: a.Envelope - b.Envelope,
		Framing:  a.Framing - b.Framing,
		Headers:  a.Headers - b.Headers,
		Segments: a.Segments - b.Segments,
	}
}

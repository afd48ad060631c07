package fleet

import (
	"context"
	"time"

	"pushbench/bench/clock"
)

// An Offset is the difference between the clock of an agent's machine and that of the coordinator's, with its largest
// error.
type Offset struct {
	Value time.Duration // agent − coordinator
	Bound time.Duration // half of the least round trip
}

// exchanges is the number of exchanges of an Offset. The one with the least round trip counts: it waited least in queues.
const exchanges = 16

// An exchange is four instants: a request is sent by the coordinator's clock, received and answered by the agent's, and
// its response received by the coordinator's. (D. Mills, RFC 5905 §8.)
type exchange struct{ sent, received, answered, returned clock.Instant }

// offset is the offset of one exchange. The request and the response took together what the round trip took without the
// time in the agent; the offset is exact if both took the same, and wrong by half of it at most.
func (x exchange) offset() Offset {
	roundTrip := x.returned.Sub(x.sent) - x.answered.Sub(x.received)
	return Offset{
		Value: (x.received.Sub(x.sent) + x.answered.Sub(x.returned)) / 2,
		Bound: (roundTrip + 1) / 2,
	}
}

// measureOffset makes exchanges and returns the offset with the least bound.
func measureOffset(ctx context.Context, ask func(context.Context) (exchange, error)) (best Offset, err error) {
	for i := range exchanges {
		x, err := ask(ctx)
		if err != nil {
			return best, err
		}
		if o := x.offset(); i == 0 || o.Bound < best.Bound {
			best = o
		}
	}
	return best, nil
}

// to converts an instant of the coordinator's clock.
func (o Offset) to(i clock.Instant) clock.Instant { return i.Add(o.Value) }

// from converts an instant of the agent's clock.
func (o Offset) from(i clock.Instant) clock.Instant { return i.Add(-o.Value) }

package results

// Visits accounts for clients that came in the window, subscribed, heard a first message
// and left.
type Visits struct {
	Came    int64            `json:"came" add:"sum"`
	Connect Histogram        `json:"connect"`           // due to come → subscribed
	First   Latency          `json:"first"`             // due to come → a first message in hand; infinite: it never was
	LostBy  map[string]int64 `json:"lost_by,omitempty"` // connections that ended before, by cause
}

func (v Visits) identities() []Identity {
	return []Identity{{"visitors = heard something + heard nothing", v.Came, []int64{v.First.Histogram.Count(), v.First.Infinite}}}
}

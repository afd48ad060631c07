package results

// Answers accounts for what clients sent back, where each message asked for it: one
// answer a message of the window, however many of the messages arrived.
type Answers struct {
	Ledger  Ledger  `json:"ledger"`  // of the backend: what it was owed, and had
	Latency Latency `json:"latency"` // due instant of the message → its answer in the backend's hands
}

// Webhooks counts what a server posted to clients and to backends, and what became of
// that, from its start to the trial's end.
type Webhooks struct {
	Rules    int              `json:"rules" add:"max"` // that the clients' router was given to let the server in, one a client
	Posts    int64            `json:"posts" add:"sum"` // tried
	Failed   int64            `json:"failed" add:"sum"`
	GivenUp  int64            `json:"given_up" add:"sum"` // receivers
	FailedBy map[string]int64 `json:"failed_by,omitempty"`
}

// identities are the sums of the backend's ledger.
func (a Answers) identities() []Identity {
	l := a.Ledger
	return []Identity{
		{"answers owed = unique + lost", l.Owed, []int64{l.Unique, l.Superseded, l.DeclaredGap, l.Lost}},
		{"answers received = unique + duplicates + unexpected", l.Received, []int64{l.Unique, l.Duplicates, l.Unexpected}},
		{"round trips = unique answers", a.Latency.Histogram.Count(), []int64{l.Unique}},
		{"infinite round trips = declared gap + lost", a.Latency.Infinite, []int64{l.DeclaredGap, l.Lost}},
	}
}

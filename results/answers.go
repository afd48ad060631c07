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
	Rules    int              `json:"rules"` // that the clients' router was given to let the server in, one a client
	Posts    int64            `json:"posts"` // tried
	Failed   int64            `json:"failed"`
	GivenUp  int64            `json:"given_up"` // receivers
	FailedBy map[string]int64 `json:"failed_by,omitempty"`
}

// Add adds another account.
func (a *Answers) Add(b Answers) {
	a.Ledger.Add(b.Ledger)
	a.Latency.Add(b.Latency)
}

func (w *Webhooks) add(x Webhooks) {
	w.Rules = max(w.Rules, x.Rules)
	w.Posts += x.Posts
	w.Failed += x.Failed
	w.GivenUp += x.GivenUp
	if x.FailedBy != nil {
		w.FailedBy = addBy(w.FailedBy, x.FailedBy)
	}
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

func (a Answers) figures() []figure {
	return append(a.Ledger.figures(), figure{"answers.infinite", float64(a.Latency.Infinite)}, figure{"answers.independent", float64(a.Latency.Independent)})
}

func (w Webhooks) figures() []figure {
	return []figure{
		{"webhooks.rules", float64(w.Rules)},
		{"webhooks.posts", float64(w.Posts)},
		{"webhooks.failed", float64(w.Failed)},
		{"webhooks.given_up", float64(w.GivenUp)},
	}
}

// answered is a figure of the answers, where any are asked for.
func answered(of func(Trial) Value) func(Trial) Value {
	return func(t Trial) Value {
		if t.Answers.Ledger.Owed == 0 {
			return Value{Known: NotShown}
		}
		return of(t)
	}
}

func answerLatency(t Trial) Latency { return t.Answers.Latency }

package report

import (
	"slices"

	"charm.land/lipgloss/v2"
	"charm.land/lipgloss/v2/table"

	"pushbench/results/metric"
	"pushbench/results/summary"
)

// answersSection is of requests that a server sent, and what came back.
func answersSection(s summary.Summary) section {
	all := section{
		Title: "There and back: requests to clients, and their answers",
		Note: "Each message asks its client for an answer. The round trip counts from the message's due instant until the answer is in the hands of the backend that asked, " +
			"beside the server, which hears of it by a webhook on every transport alike. Rules: at the clients' router, which let the server in. Posts: of webhooks, to clients and to the backend, since the server began.",
		Head: []string{"transport", "asked", "reached", "answered", "lost", "p50 ms", "p99 ms", "max ms", "rules", "posts", "failed"},
	}
	if !slices.ContainsFunc(s.Rows, func(r summary.Row) bool { return r.Pooled.Answers.Ledger.Owed > 0 }) {
		return all
	}
	for _, r := range s.Rows {
		a, w := r.Pooled.Answers, r.Pooled.Webhooks
		longest := "∞"
		if a.Latency.Infinite == 0 {
			longest = millis(a.Latency.Histogram.Max())
		}
		all.Rows = append(all.Rows, line{Cells: []string{
			r.Name, metric.Count(a.Ledger.Owed), metric.Count(r.Pooled.Ledger.Unique), metric.Count(a.Ledger.Unique), metric.Count(a.Ledger.Lost),
			r.Value(metric.AnswerP50).String(), r.Value(metric.AnswerP99).String(), longest,
			metric.Count(int64(w.Rules)), metric.Count(w.Posts), metric.Count(w.Failed) + causes(w.FailedBy),
		}})
	}
	return all
}

// visitsSection is of clients that come and go.
func visitsSection(s summary.Summary) section {
	all := section{
		Title: "Visitors: clients that come, hear a first message, and leave",
		Note:  "Beside the clients that stay, in the window. Milliseconds from when a visitor was due to come until it is subscribed, and until it has a first message. They are in no ledger, and in all costs.",
		Head:  []string{"transport", "came", "heard", "nothing", "subscribed p50 ms", "first message p50 ms", "p99 ms", "max ms"},
	}
	if !slices.ContainsFunc(s.Rows, func(r summary.Row) bool { return r.Pooled.Visits.Came > 0 }) {
		return all
	}
	for _, r := range s.Rows {
		v := r.Pooled.Visits
		longest := "∞"
		if v.First.Infinite == 0 {
			longest = millis(v.First.Histogram.Max())
		}
		all.Rows = append(all.Rows, line{Cells: []string{
			r.Name, metric.Count(v.Came), metric.Count(v.First.Histogram.Count()), metric.Count(v.First.Infinite) + causes(v.LostBy),
			r.Value(metric.VisitorsReadyP50).String(), r.Value(metric.FirstMessageP50).String(), r.Value(metric.FirstMessageP99).String(), longest,
		}})
	}
	return all
}

// drawn is a section for a terminal; empty where it has no rows.
func (s section) drawn(opts TableOptions) string {
	if len(s.Rows) == 0 {
		return ""
	}
	return opts.inParts(len(s.Head)-1, func(from, to int) string {
		rows := make([][]string, len(s.Rows))
		for i, l := range s.Rows {
			rows[i] = slices.Concat(l.Cells[:1], l.Cells[1+from:1+to])
		}
		return bare(slices.Concat(s.Head[:1], s.Head[1+from:1+to]), rows, func(row, col int) lipgloss.Style {
			s := lipgloss.NewStyle()
			if col > 0 {
				s = s.Align(lipgloss.Right).PaddingLeft(2)
			}
			return s.Bold(opts.Color && row == table.HeaderRow)
		})
	})
}

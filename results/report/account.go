package report

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"pushbench/results"
	"pushbench/results/compare"
	"pushbench/results/metric"
	"pushbench/results/summary"
	"pushbench/scenarios/transports"
)

// A part is what a sceptic asks next, and the answer.
type part struct {
	Title string
	Lines []string
	Code  []string // commands
}

// conclusion is what the run found, and of what it claims.
func (r *Report) conclusion() []string {
	said := r.headline()
	if r.Run.Manifest.Status != results.Invalid {
		said = append(said, r.met()...)
		said = append(said, losses(r.Summary)...)
	}
	return append(said, r.claimSentences()...)
}

// account is all that qualifies the conclusion.
func (r *Report) account() []part {
	m := r.Run.Manifest
	parts := []part{
		{Title: "What it holds for", Lines: []string{holdsFor(m)}},
		{Title: "What would reverse it", Lines: r.reversal()},
		{Title: "Why believe it", Lines: r.trust()},
		{Title: "What was not measured", Lines: []string{results.Capital(strings.TrimPrefix(notMeasured(m), "Not measured: "))}},
		{Title: "How to repeat it", Lines: []string{"Ratios and orders should hold on another machine; absolute times will not."}, Code: repeat(m)},
	}
	if m.Status == results.Invalid {
		parts = slices.DeleteFunc(parts, func(p part) bool { return p.Title == "What would reverse it" })
	}
	return parts
}

// reversal says what the run knows of where its answer turns round: what it swept, and where
// it swept nothing which command would tell.
func (r *Report) reversal() []string {
	m := r.Run.Manifest
	said := r.variants()
	if border := r.crossoverSaid(); border != "" {
		said = append(said, results.Capital(border)+".")
	} else {
		said = append(said, r.dearPolls()...)
	}
	if m.RTT == 0 && !m.SweptRTT() {
		said = append(said, fmt.Sprintf("A round trip: loopback has none. A poll's answer waits for one more, so that long polling's mean latency doubles where the round trip passes the time between messages (pushbench run %s --rtt 100ms).", scenarioName(m)))
	}
	if !m.SweptFlush() {
		said = append(said, fmt.Sprintf("A flush window: holding messages a few milliseconds makes every transport cheaper and slower alike (pushbench run %s --flush 0s,5ms).", scenarioName(m)))
	}
	return said
}

// dearPolls says at which interval short polling would cost what the cheapest stream does, as
// far as each request costs the same at any interval.
func (r *Report) dearPolls() []string {
	m := r.Run.Manifest
	poll, ok := r.Summary.Row(transports.ShortPoll)
	if !ok || m.Workload.PollInterval <= 0 {
		return nil
	}
	cost := func(row summary.Row) (float64, bool) {
		v, ok := row.Median(r.costMetric())
		return v.X, ok && v.Known == summary.Shown && v.X > 0
	}
	own, shown := cost(poll)
	name, cheapest := "", math.Inf(1)
	for _, row := range r.Summary.Rows {
		if v, ok := cost(row); ok && !transports.Of(row.Transport).Timed && v < cheapest {
			name, cheapest = row.Name, v
		}
	}
	if !shown || name == "" {
		return nil
	}
	at := time.Duration(own / cheapest * float64(m.Workload.PollInterval))
	return []string{fmt.Sprintf("Staleness: if a poll cost the same at every interval, short polling would cost as much as %s at one of about %s, where it now is %s; this is arithmetic, not measured (pushbench crossover %s measures it).",
		name, duration(at), duration(m.Workload.PollInterval), scenarioName(m))}
}

// scenarioName is what a person gives the command.
func scenarioName(m results.Manifest) string { return results.Plain(m.Workload.Scenario) }

// trust is what speaks for the figures and what against.
func (r *Report) trust() []string {
	m, s := r.Run.Manifest, r.Summary
	said := []string{fmt.Sprintf("Gates: %s of %s checks of the rig passed, in %s; %d of %s are valid.",
		metric.Count(int64(s.GatesPassed)), metric.Count(int64(s.Gates)), some(len(r.Run.Trials), "trial"), s.ValidBlocks, some(s.Blocks, "block"))}
	said = append(said, exclusions(s)...)
	if floor := r.floor(); floor != "" {
		said = append(said, "Noise floor: "+floor+"; a difference that is no larger says nothing.")
	} else {
		said = append(said, "Noise floor: unknown, as it takes two valid blocks.")
	}
	if m.Ceiling > 0 {
		said = append(said, fmt.Sprintf("The generator was asked for %s %% of what it does without a network; more than 80 %% is refused.", metric.Number(100*r.ofCeiling())))
	}
	for _, c := range m.Conditions {
		if text := strings.TrimSpace(results.Plain(c)); text != "" { // a folder may hold anything
			said = append(said, results.Capital(text)+".")
		}
	}
	if missing := unreproducible(m); missing != "" {
		said = append(said, missing)
	}
	return said
}

// ofCeiling is the share of its ceiling that the hardest case asks of the generator.
func (r *Report) ofCeiling() float64 {
	m := r.Run.Manifest
	offered := m.Workload.PublishRate + m.Workload.DeliveryRate
	for _, c := range m.AllCases() {
		publish := m.Workload.PublishRate
		if c.PublishRate > 0 {
			publish = c.PublishRate
		}
		offered = max(offered, publish+c.DeliveryRate)
	}
	return offered / m.Ceiling
}

// floor is how far a case is from itself, for each declared metric at the most.
func (r *Report) floor() string {
	most := map[string]float64{}
	var order []string
	for _, d := range r.Alike {
		if d.Blocks == 0 || d.Verdict == compare.Incomparable || math.IsNaN(d.Ratio) || math.IsInf(d.Ratio, 0) || d.Ratio <= 0 {
			continue
		}
		if _, seen := most[d.Metric]; !seen {
			order = append(order, d.Metric)
		}
		most[d.Metric] = max(most[d.Metric], d.Ratio, 1/d.Ratio)
	}
	var said []string
	for _, name := range order {
		said = append(said, fmt.Sprintf("%s %s %%", metric.ByName(name).Title, metric.Number(100*(most[name]-1))))
	}
	if len(said) == 0 {
		return ""
	}
	return "each case differs from itself by at most " + list(said)
}

// caption is what must stand under every chart beside what it rests on.
func (r *Report) caption() string {
	said := ""
	if floor := r.floor(); floor != "" {
		said += " · noise floor: " + floor
	}
	differ := 0
	for _, c := range r.Run.Manifest.Conditions {
		if strings.HasPrefix(c, "on purpose, servers differ") {
			differ++
		}
	}
	if differ == 0 {
		return said + " · the paired servers differ in nothing but what is compared"
	}
	return said + fmt.Sprintf(" · differences between the paired servers: %d, listed above", differ)
}

// repeat are the commands that measure a run again.
func repeat(m results.Manifest) []string {
	return again(m.Tool, m.Command, "run", m.Workload.Scenario)
}

// again are the commands that do the same again. Where the command is not on record it is a
// plain one.
func again(tool results.Tool, command []string, plain ...string) []string {
	var all []string
	if tool.Commit != "" {
		all = append(all, "git checkout "+results.Plain(tool.Commit)+" && make build")
	}
	command = slices.Clone(command)
	if len(command) == 0 {
		command = append([]string{"pushbench"}, plain...)
	}
	command[0] = "bin/pushbench"
	for i, word := range command {
		command[i] = quoted(results.Plain(word))
	}
	return append(all, strings.Join(command, " "))
}

// quoted is a word as a shell takes it.
func quoted(word string) string {
	plain := func(r rune) bool {
		return strings.ContainsRune("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./=,:+%@", r)
	}
	if word != "" && strings.IndexFunc(word, func(r rune) bool { return !plain(r) }) < 0 {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}

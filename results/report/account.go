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

// A part qualifies the conclusion: a question of a sceptical reader, and the answer.
type part struct {
	Title string
	Lines []string
	Code  []string // commands
}

// account is all that qualifies the conclusion.
func (r *Report) account() []part {
	m := r.Run.Manifest
	parts := []part{
		{Title: "What it holds for", Lines: []string{holdsFor(m)}},
		{Title: "What would reverse it", Lines: r.reversal()},
		{Title: "Why believe it", Lines: r.trust()},
		{Title: "What was not measured", Lines: []string{results.Capital(notMeasured(m))}},
		{Title: "How to repeat it", Lines: []string{"Ratios and orders should hold on another machine; absolute times will not."}, Code: repeat(m)},
	}
	if m.Status == results.Invalid {
		parts = slices.Delete(parts, 1, 2)
	}
	return parts
}

// reversal says what the run knows of where its answer turns round: what it swept, and where
// it swept nothing which command would tell.
func (r *Report) reversal() []string {
	m := r.Run.Manifest
	said, scenario := r.variants(), results.Plain(m.Workload.Scenario)
	if border := r.crossoverSaid(); border != "" {
		said = append(said, results.Capital(border)+".")
	} else {
		said = append(said, r.expensivePolls(scenario)...)
	}
	if m.RTT == 0 && !m.SweptRTT() {
		said = append(said, fmt.Sprintf("A round trip: loopback has none. A poll's answer waits for one more, so that long polling's mean latency doubles where the round trip passes the time between messages (pushbench run %s --rtt 100ms).", scenario))
	}
	if !m.SweptBatchingDelay() {
		said = append(said, fmt.Sprintf("A flush window: holding messages a few milliseconds makes every transport cheaper and slower alike (pushbench run %s --flush 0s,5ms).", scenario))
	}
	return said
}

// expensivePolls says at which interval short polling would cost what the cheapest stream does, if
// each request costs the same at any interval.
func (r *Report) expensivePolls(scenario string) []string {
	interval := r.Run.Manifest.Workload.PollInterval
	own, name, cheapest := 0.0, "", math.Inf(1)
	for _, row := range r.Summary.Rows {
		v, ok := row.Median(r.costMetric())
		switch shown := ok && v.Known == summary.Shown && v.X > 0; {
		case row.Name == transports.ShortPoll && shown:
			own = v.X
		case shown && !transports.Of(row.Transport).Timed && v.X < cheapest:
			name, cheapest = row.Name, v.X
		}
	}
	if interval <= 0 || own == 0 || name == "" {
		return nil
	}
	return []string{fmt.Sprintf("Staleness: if a poll cost the same at every interval, short polling would cost as much as %s at one of about %s, where it now is %s; this is arithmetic, not measured (pushbench crossover %s measures it).",
		name, duration(time.Duration(own/cheapest*float64(interval))), duration(interval), scenario)}
}

// checks counts the checks that passed and the blocks that are valid.
func checks(s summary.Summary, between string) string {
	return fmt.Sprintf("%s of %s checks of the rig passed%s%d of %s are valid.",
		metric.Count(int64(s.ChecksPassed)), metric.Count(int64(s.Checks)), between, s.ValidRepetitions, some(s.Repetitions, "block"))
}

// trust is the evidence for and against the figures.
func (r *Report) trust() []string {
	m, s := r.Run.Manifest, r.Summary
	said := append([]string{"Gates: " + checks(s, fmt.Sprintf(", in %s; ", some(len(r.Run.Trials), "trial")))}, exclusions(s)...)
	if floor := r.floor(); floor != "" {
		said = append(said, "Noise floor: "+floor+"; a difference that is no larger says nothing.")
	} else {
		said = append(said, "Noise floor: unknown, as it takes two valid blocks.")
	}
	if m.Ceiling > 0 {
		offered := m.Workload.PublishRate + m.Workload.DeliveryRate // by the most demanding configuration
		for _, c := range m.AllConfigurations() {
			publish := m.Workload.PublishRate
			if c.PublishRate > 0 {
				publish = c.PublishRate
			}
			offered = max(offered, publish+c.DeliveryRate)
		}
		said = append(said, fmt.Sprintf("The generator was asked for %s %% of what it does without a network; more than 80 %% is refused.", metric.Number(100*(offered/m.Ceiling))))
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

// floor is the largest difference of a configuration from itself, for each declared metric.
func (r *Report) floor() string {
	most := map[string]float64{}
	var order, said []string
	for _, d := range r.Alike {
		if d.Repetitions == 0 || d.Verdict == compare.Incomparable || math.IsNaN(d.Ratio) || math.IsInf(d.Ratio, 0) || d.Ratio <= 0 {
			continue
		}
		if _, seen := most[d.Metric]; !seen {
			order = append(order, d.Metric)
		}
		most[d.Metric] = max(most[d.Metric], d.Ratio, 1/d.Ratio)
	}
	for _, name := range order {
		said = append(said, fmt.Sprintf("%s %s %%", metric.ByName(name).Title, metric.Number(100*(most[name]-1))))
	}
	if len(said) == 0 {
		return ""
	}
	return "each case differs from itself by at most " + list(said)
}

// caption follows the basis of every figure.
func (r *Report) caption() string {
	said, differ := "", 0
	if floor := r.floor(); floor != "" {
		said = " · noise floor: " + floor
	}
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

// again are the commands that do the same again. Without a command on record it is a
// plain one.
func again(tool results.Tool, command []string, plain ...string) (all []string) {
	if tool.Commit != "" {
		all = append(all, "git checkout "+results.Plain(tool.Commit)+" && make build")
	}
	if len(command) > 0 {
		plain = command[1:]
	}
	said := "bin/pushbench"
	for _, word := range plain {
		said += " " + quoted(results.Plain(word))
	}
	return append(all, said)
}

// quoted is a word as a shell takes it.
func quoted(word string) string {
	const plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./=,:+%@"
	if word != "" && strings.Trim(word, plain) == "" {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}

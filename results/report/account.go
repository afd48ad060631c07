package report

import (
	"fmt"
	"math"
	"strings"
	"time"

	"pushbench/results"
	"pushbench/results/compare"
	"pushbench/results/metric"
	"pushbench/results/summary"
	"pushbench/scenarios/transports"
)

// accountSections limit or support the answer: what would change it, the evidence for it, what was not
// measured, and how to repeat it.
func (r *Report) accountSections() []Section {
	m := r.Run.Manifest
	return []Section{
		{Title: "What would change the answer", Detail: Wide, Paragraphs: r.reversal()},
		{Title: "Evidence", Detail: Wide, Paragraphs: r.evidence()},
		{Title: "What was not measured", Detail: Wide, Paragraphs: append(items("This run did not measure", notMeasured(m)), text(unknown(m)...)...)},
		{Title: "How to repeat it", Detail: Full, Paragraphs: text("Expect the same ratios and orders on another machine, but not the same times."), Code: repeat(m)},
	}
}

// reversal states under which conditions the answer changes, as far as the run swept them. For conditions
// that the run did not sweep it names the command that would.
func (r *Report) reversal() []Paragraph {
	m := r.Run.Manifest
	if m.Status == results.Invalid {
		return nil
	}
	scenario := results.Plain(m.Workload.Scenario)
	lines := r.expensivePolls(scenario)
	if m.RTT == 0 && !m.SweptRTT() {
		lines = append(lines, fmt.Sprintf("Round-trip time: loopback has none. With a long round trip each message waits for the next poll. "+
			"When the round trip exceeds the gap between messages, long polling's mean latency doubles. Measure it: pushbench run %s --rtt 100ms.", scenario))
	}
	if !m.SweptBatchingDelay() {
		lines = append(lines, fmt.Sprintf("Batching delay: a delay of a few milliseconds makes every transport cheaper and slower. "+
			"Measure it: pushbench run %s --batching-delay 0s,5ms.", scenario))
	}
	return text(lines...)
}

// expensivePolls states at which interval short polling would cost as much as the cheapest stream, if each
// request costs the same at every interval.
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
	if _, mapped := r.costMap(); mapped || r.costMetric() == metric.Price || interval <= 0 || own == 0 || name == "" {
		return nil
	}
	return []string{fmt.Sprintf("Poll interval: short polling would cost as much as %s at about %s; the interval was %s. "+
		"This assumes that a poll costs the same at every interval. It is predicted, not measured. Measure it: pushbench crossover %s.",
		prose(name), roughly(time.Duration(own/cheapest*float64(interval))), duration(interval), scenario)}
}

// checks counts the validity checks that passed and the valid repetitions.
func checks(s summary.Summary, between string) string {
	return fmt.Sprintf("%s of %s passed%s%d of %s are valid.",
		metric.Count(int64(s.ChecksPassed)), metric.Count(int64(s.Checks)), between, s.ValidRepetitions, some(s.Repetitions, "repetition"))
}

// evidence lists the evidence for and against the result.
func (r *Report) evidence() []Paragraph {
	m, s := r.Run.Manifest, r.Summary
	all := text(append([]string{"Validity checks: " + checks(s, fmt.Sprintf(", in %s. ", some(len(r.Run.Trials), "trial")))}, exclusions(s)...)...)
	var lines []string
	if floor := compare.NoiseFloor(r.SelfComparisons); len(floor) > 0 {
		all = append(all, items("Noise floor: the largest difference of a configuration from itself", floor)...)
		lines = append(lines, "Ignore differences between configurations that are smaller than these.")
	} else {
		lines = append(lines, "Noise floor: unknown, because it needs two valid repetitions.")
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
		lines = append(lines, fmt.Sprintf("The load generator ran at %s %% of its maximum rate without a network. More than 80 %% would be refused.", metric.Number(100*(offered/m.Ceiling))))
	}
	for _, c := range m.Conditions {
		if text := strings.TrimSpace(results.Plain(c)); text != "" { // a run folder may contain any text
			lines = append(lines, results.Capital(text)+".")
		}
	}
	if missing := unreproducible(m); missing != "" {
		lines = append(lines, missing)
	}
	return append(all, text(lines...)...)
}

// caption follows the basis of every chart.
func (r *Report) caption() string {
	differ := 0
	for _, c := range r.Run.Manifest.Conditions {
		if strings.HasPrefix(c, "servers differ on purpose") {
			differ++
		}
	}
	if differ == 0 {
		return " · the paired servers differ only in what is compared"
	}
	return fmt.Sprintf(" · differences between the paired servers: %d, listed above", differ)
}

// repeat are the commands that repeat a run.
func repeat(m results.Manifest) []string {
	return commands(m.Tool, m.Command, "run", m.Workload.Scenario)
}

// commands build the same commit and repeat the recorded command, or the plain one if none is recorded.
func commands(tool results.Tool, command []string, plain ...string) (all []string) {
	if tool.Commit != "" {
		all = append(all, "git checkout "+results.Plain(tool.Commit)+" && make build")
	}
	if len(command) > 0 {
		plain = command[1:]
	}
	line := "bin/pushbench"
	for _, word := range plain {
		line += " " + quoted(results.Plain(word))
	}
	return append(all, line)
}

// quoted is a word in a shell's syntax.
func quoted(word string) string {
	const plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./=,:+%@"
	if word != "" && strings.Trim(word, plain) == "" {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}

package report

import (
	"fmt"
	"strings"

	"pushbench/results"
	"pushbench/results/compare"
	"pushbench/results/metric"
	"pushbench/results/summary"
)

// accountSections limit or support the answer: the evidence for it, what was not measured, and how to repeat
// it.
func (r *Report) accountSections() []Section {
	m := r.Run.Manifest
	return []Section{
		{Title: evidenceTitle, Detail: Wide, Paragraphs: r.evidence()},
		{Title: "What was not measured", Detail: Wide, Paragraphs: append(items("This run did not measure", notMeasured(m)), text(unknown(m)...)...)},
		{Title: "How to repeat it", Detail: Full, Paragraphs: text("Expect the same ratios and orders on another machine, but not the same times."), Code: repeat(m)},
	}
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
	if share, ok := r.generatorShare(); ok {
		lines = append(lines, fmt.Sprintf("The load generator ran at %s of its maximum rate without a network. More than 80 %% would be refused.", metric.Percent(share)))
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

// generatorShare is the share of the load generator's maximum rate that the most demanding configuration
// requires; ok is false if the maximum is unknown.
func (r *Report) generatorShare() (share float64, ok bool) {
	m := r.Run.Manifest
	offered := m.Workload.PublishRate + m.Workload.DeliveryRate
	for _, c := range m.AllConfigurations() {
		publish := m.Workload.PublishRate
		if c.PublishRate > 0 {
			publish = c.PublishRate
		}
		offered = max(offered, publish+c.DeliveryRate)
	}
	return offered / m.Ceiling, m.Ceiling > 0
}

// caption qualifies all charts, if the servers differ in more than what is compared.
func (r *Report) caption() string {
	differ := 0
	for _, c := range r.Run.Manifest.Conditions {
		if strings.HasPrefix(c, "servers differ on purpose") {
			differ++
		}
	}
	if differ == 0 {
		return ""
	}
	return fmt.Sprintf("Differences between the paired servers: %d, listed as evidence.", differ)
}

// repeat are the commands that repeat a run.
func repeat(m results.Manifest) []string {
	all := commands(m.Tool, m.Command, "run", m.Workload.Scenario)
	if len(m.Targets) == 0 || len(all) < 2 {
		return all
	}
	return []string{"# in a clone of pushbench", all[0], "# where the target files are, with that bin/pushbench", all[1]}
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

package report

import (
	"fmt"
	"math"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"pushbench/results"
	"pushbench/results/summary"
	"pushbench/scenarios/transports"
)

// reversalSection has the conditions under which another answer is possible, with the commands that measure
// them: those that the run did not sweep.
func (r *Report) reversalSection() Section {
	m := r.Run.Manifest
	all := Section{Title: "What would change the answer", Detail: Wide, Shown: true}
	if m.Status == results.Invalid {
		return all
	}
	scenario := quoted(scenarioArgument(m)) + targetFlag(m)
	measured := scenario + transportsFlag(m)
	named, has := servers(m.AllConfigurations()), func(is func(transport string) bool) bool {
		return slices.ContainsFunc(m.AllConfigurations(), func(c results.Configuration) bool { return is(c.Transport) })
	}
	add := func(text, command string) {
		all.Paragraphs = append(all.Paragraphs, Paragraph{text, []string{"pushbench " + command}})
	}
	_, mapped := r.costMap()
	if !m.SweptRTT() && m.Workload.Drain >= longestInterval(m)+3*longestRoundTrip { // otherwise it must be refused
		add("Round trip: "+roundTripEffect(m), "run "+measured+roundTripFlags(m))
	}
	if !mapped {
		add("Load: CPU per message falls as load rises, and each transport reaches its limit at another load.", r.loadCommand(measured))
	}
	if !mapped && len(named) < 2 && has(isTimed) && has(isMapped) { // a map shows one server
		add("Acceptable staleness: "+r.stalenessEffect(), r.crossoverCommand(scenario))
	}
	if !m.SweptBatchingDelay() && len(named) == 0 && has(func(t string) bool { return transports.Of(t).Batches }) { // a setting of pushbench's servers
		add("Batching delay: a delay of a few milliseconds makes every transport cheaper and slower.", fmt.Sprintf("run %s --batching-delay 0s,5ms", measured))
	}
	return all
}

// targetFlag names the servers of a run, as the command line does; "" if they are pushbench's.
func targetFlag(m results.Manifest) string {
	files := servers(m.AllConfigurations())
	for i, name := range files {
		if at := slices.IndexFunc(m.Targets, func(t results.Target) bool { return t.Name == name }); at >= 0 {
			files[i] = m.Targets[at].File
		}
	}
	if len(files) == 0 {
		return ""
	}
	return " --target " + quoted(results.Plain(strings.Join(files, ",")))
}

// transportsFlag limits a command to the transports to which the run's command was limited; "" if it was not.
func transportsFlag(m results.Manifest) string {
	for i, word := range m.Command {
		name, list, joined := strings.Cut(word, "=")
		if !joined && i+1 < len(m.Command) {
			list = m.Command[i+1]
		}
		if name == "--transports" && list != "" {
			return " --transports " + quoted(results.Plain(list))
		}
	}
	return ""
}

// scenarioArgument is the scenario as the command line names it: built-in ones may be in a folder, others in a
// file.
func scenarioArgument(m results.Manifest) string {
	name := results.Plain(m.Workload.Scenario)
	if len(m.Command) < 2 || !slices.Contains([]string{"run", "crossover", "capacity"}, m.Command[1]) {
		return name
	}
	for i, word := range m.Command[1:] {
		if m.Command[i] != "--out" && strings.TrimSuffix(path.Base(filepath.ToSlash(word)), ".yaml") == m.Workload.Scenario {
			return results.Plain(word)
		}
	}
	return name
}

// runCommand repeats the run's command without its output and its number of repetitions. A run that another
// command has measured is repeated by its scenario alone.
func runCommand(m results.Manifest) string {
	if len(m.Command) < 2 || m.Command[1] != "run" {
		return "pushbench run " + quoted(scenarioArgument(m))
	}
	line := "pushbench"
	for words := m.Command[1:]; len(words) > 0; words = words[1:] {
		name, _, joined := strings.Cut(words[0], "=")
		switch {
		case name == "--quick":
		case !slices.Contains([]string{"--out", "--format", "--junit", "--comment", "--repetitions", "-n", "--blocks"}, name):
			line += " " + quoted(results.Plain(words[0]))
		case !joined && len(words) > 1:
			words = words[1:]
		}
	}
	return line
}

func isTimed(transport string) bool { return transports.Of(transport).Timed }

// isMapped reports whether a map compares a transport with short polling.
func isMapped(transport string) bool {
	return !isTimed(transport) && !transports.Of(transport).ServerDials
}

// longestRoundTrip is the longest that roundTripFlags measure.
const longestRoundTrip = 100 * time.Millisecond

// roundTripFlags compare several round trips with none, or measure another one. TLS requires a link of packets.
func roundTripFlags(m results.Manifest) string {
	secured := slices.ContainsFunc(m.AllConfigurations(), func(c results.Configuration) bool { return c.TLS })
	switch {
	case m.RTT >= longestRoundTrip:
		return " --rtt 20ms"
	case m.RTT > 0:
		return " --rtt 100ms"
	case secured && m.Network != results.PacketLink:
		return " --link packets --sweep rtt=0s,20ms,100ms"
	default:
		return " --sweep rtt=0s,20ms,100ms"
	}
}

func roundTripEffect(m results.Manifest) string {
	had := "this run had none"
	if m.RTT > 0 {
		had = "this run had " + duration(m.RTT)
	}
	if slices.Contains(m.Transports, transports.LongPoll) {
		return had + ". When the round trip exceeds the gap between messages, long polling's mean latency doubles."
	}
	return had + ". A longer one delays each message, each poll and each new connection."
}

// capacityWindow is the default window of pushbench capacity, which must be longer than the warm-up.
const capacityWindow = 10 * time.Second

// loadCommand searches for the highest load within the requirements, or without any compares several loads.
func (r *Report) loadCommand(scenario string) string {
	m := r.Run.Manifest
	var limits []string
	for _, q := range m.Requirements {
		if strings.HasPrefix(q.Op, "<") && q.Configuration == "" && q.OtherConfiguration == "" {
			limits = append(limits, " --require "+quoted(results.Plain(q.Text)))
		}
	}
	if len(limits) > 0 {
		if m.Workload.Warmup >= capacityWindow {
			limits = append(limits, " --window "+(2*m.Workload.Warmup).String())
		}
		return "capacity " + scenario + strings.Join(limits, "")
	}
	rate := m.Workload.PublishRate
	return fmt.Sprintf("run %s --sweep rate=%s,%s,%s", scenario, perSecond(rate/4), perSecond(rate), perSecond(4*rate))
}

// crossoverCommand draws a map. Its default loads begin at a sixteenth of the run's, where a message must be
// due in the window.
func (r *Report) crossoverCommand(scenario string) string {
	w := r.Run.Manifest.Workload
	command := "crossover " + scenario
	if w.PublishRate/16*w.Window.Seconds() < 1 {
		command += fmt.Sprintf(" --rates %s,%s,%s", perSecond(w.PublishRate), perSecond(4*w.PublishRate), perSecond(16*w.PublishRate))
	}
	return command
}

// longestInterval is the longest interval of short polling.
func longestInterval(m results.Manifest) time.Duration {
	longest := m.Workload.PollInterval
	for _, c := range m.AllConfigurations() {
		longest = max(longest, c.Interval)
	}
	return longest
}

// perSecond is a rate in the syntax of scenarios.
func perSecond(rate float64) string { return fmt.Sprintf("%.6g/s", rate) }

// stalenessEffect states at which interval short polling would cost as much CPU as the cheapest other
// transport, if each poll costs the same at every interval.
func (r *Report) stalenessEffect() string {
	interval := r.Run.Manifest.Workload.PollInterval
	own, name, cheapest := 0.0, "", 0.0
	for _, row := range r.Summary.Rows {
		v, ok := row.Median(r.cpu())
		flawed := row.Saturated || row.Pooled.Ledger.Lost+row.Pooled.Ledger.DeclaredGap > 0
		switch shown := ok && v.Known == summary.Shown && v.X > 0 && !flawed; {
		case row.Name == transports.ShortPoll && shown:
			own = v.X
		case shown && !isTimed(row.Transport) && (name == "" || v.X < cheapest):
			name, cheapest = row.Name, v.X
		}
	}
	if interval <= 0 || own == 0 || name == "" {
		return "short polling can be the cheapest if clients accept older data."
	}
	if math.Abs(math.Log(own/cheapest)) <= math.Log1p(r.Analysis.Declared.Margin) {
		return fmt.Sprintf("short polling costs about as much CPU as %s at its interval of %s. At longer intervals it would cost less (predicted).", prose(name), duration(interval))
	}
	return fmt.Sprintf("short polling would cost less CPU than %s at intervals above about %s. That is predicted; the interval was %s.",
		prose(name), roughly(time.Duration(own/cheapest*float64(interval))), duration(interval))
}

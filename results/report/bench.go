package report

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode"

	"pushbench/results"
	"pushbench/results/metric"
	"pushbench/results/summary"
)

// benchUnits are the metrics of bench.txt, with the units that Go's benchmark tools expect: "ns" makes
// benchstat print times. Milliseconds and microseconds become nanoseconds and KiB bytes, because benchstat
// scales base units itself.
var benchUnits = []struct {
	metric string
	unit   string
	scale  float64 // from the metric's unit
}{
	{metric.P50, "p50-ns", 1e6},
	{metric.P99, "p99-ns", 1e6},
	{metric.P999, "p999-ns", 1e6},
	{metric.Mean, "mean-ns", 1e6},
	{metric.Max, "max-ns", 1e6},
	{metric.AgeMean, "mean-age-ns", 1e6},
	{metric.AgeP99, "p99-age-ns", 1e6},
	{metric.ServerCPUPerMessage, "server-ns/msg", 1e3},
	{metric.GeneratorCPUPerMessage, "generator-ns/msg", 1e3},
	{metric.CPUPerMessage, "cpu-ns/msg", 1e3},
	{metric.WireBytesPerMessage, "wire-B/msg", 1},
	{metric.RequestsPerMessage, "requests/msg", 1},
	{metric.MessagesPerBatch, "msgs/batch", 1},
	{metric.ServerMemoryPerClient, "idle-B/client", 1024},
	{metric.ConnectP50, "connect-p50-ns", 1e6},
	{metric.Delivered, "delivered", 1},
	{metric.Lost, "lost", 1},
}

// Bench writes the Go benchmark format, one line per valid trial:
// https://go.dev/design/14313-benchmark-format. A value that is n/a or infinite has no number in that
// format. A unit without a number in one trial of a configuration is left out of all its trials, with the
// reason: the remaining trials would flatter a configuration that lost messages.
//
// A configuration line is a condition under which values are comparable: benchstat makes a table for each
// of its values. The commit and the status are comments, so that two commits share a table with a delta.
func (r *Report) Bench(w io.Writer) error {
	m := r.Run.Manifest
	var b strings.Builder
	for _, pair := range [][2]string{
		{"goos", m.Host.OS},
		{"goarch", m.Host.Arch},
		{"pkg", "pushbench/" + m.Workload.Scenario},
		{"cpu", m.Host.CPUModel},
		{"library", m.Library},
		{"network", m.Network},
		{"# status", string(m.Status)},
		{"# commit", m.Tool.Commit},
		{"# servers' commit", m.Served.Commit},
	} {
		if value := results.Plain(pair[1]); value != "" {
			fmt.Fprintf(&b, "%s: %s\n", pair[0], value)
		}
	}
	b.WriteString("\n")
	for _, u := range benchUnits {
		switch metric.ByName(u.metric).Better {
		case metric.Lower:
			fmt.Fprintf(&b, "Unit %s better=lower\n", u.unit)
		case metric.Higher:
			fmt.Fprintf(&b, "Unit %s better=higher\n", u.unit)
		}
	}
	b.WriteString("\n")
	for _, row := range r.Summary.Rows {
		lines := make([]string, len(row.Trials))
		for _, u := range benchUnits {
			each := make([]string, len(row.Trials))
			known := map[summary.Known]int{}
			for i, t := range row.Trials {
				v := summary.Measure(u.metric, t)
				known[v.Known]++
				if v.Known == summary.Shown {
					each[i] = " " + strconv.FormatFloat(v.X*u.scale, 'g', 6, 64) + " " + u.unit
				}
			}
			why := ""
			switch infinite, few := known[summary.Infinite], known[summary.TooFew]; {
			case infinite > 0:
				why = fmt.Sprintf("is infinite in %d", infinite)
			case few > 0:
				why = fmt.Sprintf("has too few observations in %d", few)
			default:
				for i := range lines {
					lines[i] += each[i]
				}
				continue
			}
			fmt.Fprintf(&b, "# left out: transport=%s %s %s of %d trials\n", row.Key(), u.unit, why, len(row.Trials))
		}
		for _, units := range lines {
			fmt.Fprintf(&b, "Benchmark%s/transport=%s 1%s\n", benchName(m.Workload.Scenario), row.Key(), units)
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// benchName turns "chat-room" into "ChatRoom": a benchmark's name must not begin with a lower-case letter,
// and a dash begins its GOMAXPROCS.
func benchName(scenario string) string {
	words := strings.FieldsFunc(scenario, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
	for i, word := range words {
		first := []rune(word)
		first[0] = unicode.ToUpper(first[0])
		words[i] = string(first)
	}
	return strings.Join(words, "")
}

// ticksPerHalfDistance is the number of lines for each halving of the distance to 100 %: HdrHistogram's
// default.
const ticksPerHalfDistance = 5

// Percentiles writes a row's delivery latencies as an .hgrm file, in milliseconds. Such a file has no place
// for messages that never arrived, so a comment counts them.
func Percentiles(w io.Writer, r summary.Row) error {
	const nanosecondsPerMillisecond = 1e6
	l := r.Pooled.Latency
	hdr := l.Histogram.HDR()
	if hdr == nil {
		return nil
	}
	if _, err := hdr.PercentilesPrint(w, ticksPerHalfDistance, nanosecondsPerMillisecond); err != nil {
		return err
	}
	_, err := fmt.Fprintf(w, "#[Never arrived, not in the lines above = %d, beyond the bounds = %d]\n", l.Infinite, l.Histogram.Overflow())
	return err
}

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

// A benchUnit is a metric under the name that Go's benchmark tools expect:
// "ns" makes benchstat print times, "/op" style units are lower is better.
type benchUnit struct {
	metric string
	unit   string
	scale  float64 // from the metric's unit
}

// benchUnits are the figures of bench.txt. Milliseconds and microseconds become
// nanoseconds and KiB bytes, because benchstat scales base units itself.
var benchUnits = []benchUnit{
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

// Bench writes the Go benchmark format, one line a valid trial:
// https://go.dev/design/14313-benchmark-format. What is n/a or infinite has no
// number there; a unit that one of a case's trials has no number for is left out of
// all of them, with the reason: the rest would flatter a case that lost messages.
func (r *Report) Bench(w io.Writer) error {
	m := r.Run.Manifest
	var b strings.Builder
	for _, pair := range [][2]string{
		{"goos", m.Host.OS},
		{"goarch", m.Host.Arch},
		{"pkg", "pushbench/" + m.Workload.Scenario},
		{"cpu", m.Host.CPUModel},
		{"status", string(m.Status)},
		{"commit", m.Tool.Commit},
		{"stack", m.Stack},
		{"network", m.Network},
	} {
		if value := results.Plain(pair[1]); value != "" {
			fmt.Fprintf(&b, "%s: %s\n", pair[0], value)
		}
	}
	b.WriteString("\n")
	for _, row := range r.Summary.Rows {
		units, left := benchUnitsOf(row)
		for _, why := range left {
			fmt.Fprintf(&b, "# left out: transport=%s %s\n", row.Key(), why) // no configuration line, by which benchstat makes tables
		}
		for _, t := range row.Trials {
			writeBenchLine(&b, m.Workload.Scenario, row.Key(), t, units)
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// benchUnitsOf are the units that a case's trials have, and why it lacks others.
func benchUnitsOf(row summary.Row) (units []benchUnit, left []string) {
	for _, u := range benchUnits {
		infinite, few := 0, 0
		for _, t := range row.Trials {
			switch summary.Measure(u.metric, t).Known {
			case summary.Infinite:
				infinite++
			case summary.TooFew:
				few++
			}
		}
		switch n := len(row.Trials); {
		case infinite > 0:
			left = append(left, fmt.Sprintf("%s is infinite in %d of %d trials", u.unit, infinite, n))
		case few > 0:
			left = append(left, fmt.Sprintf("%s has too few observations in %d of %d trials", u.unit, few, n))
		default:
			units = append(units, u)
		}
	}
	return units, left
}

func writeBenchLine(b *strings.Builder, scenario, key string, t results.Trial, units []benchUnit) {
	var figures []string
	for _, u := range units {
		if v := summary.Measure(u.metric, t); v.Known == summary.Shown {
			figures = append(figures, strconv.FormatFloat(v.X*u.scale, 'g', 6, 64)+" "+u.unit)
		}
	}
	fmt.Fprintf(b, "Benchmark%s/transport=%s 1 %s\n", benchName(scenario), key, strings.Join(figures, " "))
}

// benchName turns "chat-room" into "ChatRoom": a benchmark's name must not
// begin with a lower-case letter, and a dash begins its GOMAXPROCS.
func benchName(scenario string) string {
	words := strings.FieldsFunc(scenario, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
	for i, word := range words {
		first := []rune(word)
		first[0] = unicode.ToUpper(first[0])
		words[i] = string(first)
	}
	return strings.Join(words, "")
}

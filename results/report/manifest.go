package report

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"pushbench/results"
	"pushbench/results/metric"
)

// manifestSection is the information that another person needs to repeat the run. Rows without a value are
// left out.
func (r *Report) manifestSection() Section {
	m := r.Run.Manifest
	w, h := m.Workload, m.Host
	all := Section{Title: "Manifest: software, machine and settings", Detail: Full, Columns: columns("field", "value"), Note: unreproducible(m)}
	add := func(what, value string) {
		if value != "" {
			all.add(what, value)
		}
	}
	add("status", strings.TrimSpace(string(m.Status)+" "+m.Reason))
	add("started", m.Started.UTC().Format(time.RFC3339))
	if !m.Ended.IsZero() {
		add("ended", m.Ended.UTC().Format(time.RFC3339))
	}
	add("command", strings.Join(m.Command, " "))
	add("run", fmt.Sprintf("%08x", m.RunID))
	add("seed", strconv.FormatUint(m.Seed, 10))
	add("repetitions planned", strconv.Itoa(m.Repetitions))
	var orders []string
	for _, order := range m.Orders {
		orders = append(orders, strings.Join(order, " "))
	}
	add("order of each repetition", strings.Join(orders, "; "))
	add("schedule of each repetition", strings.Join(m.Schedules, " "))
	add("pushbench", strings.TrimSpace(m.Tool.Version+" "+m.Tool.Commit+map[bool]string{true: " (with uncommitted changes)"}[m.Tool.Dirty]))
	add("Go", m.Tool.GoVersion)
	add("executable SHA-256", m.Tool.SHA256)
	add("modules", strings.Join(m.Tool.Modules, ", "))

	for _, t := range m.Targets {
		add("target file of "+t.Name, t.File+", SHA-256 "+t.SHA256)
	}
	add("scenario", w.Scenario+": "+w.Description)
	add("scenario SHA-256", w.SHA256)
	add("clients, topics", fmt.Sprintf("%d, %d", w.Clients, w.Topics))
	add("publisher, arrivals", w.Publisher+", "+w.Arrivals)
	add("offered", fmt.Sprintf("%s messages/s published, %s deliveries/s, %s per client", metric.Number(w.PublishRate), metric.Number(w.DeliveryRate), metric.Number(w.PerClientRate)))
	add("payload", metric.Number(w.PayloadBytes)+" B on average")
	add("delivery", w.Delivery)
	add("short polling", fmt.Sprintf("every %s, pacing %s", duration(w.PollInterval), w.PollPacing))
	add("long polling", "timeout "+duration(w.PollTimeout))
	add("batching delay", pairs(w.BatchingDelay, func(transport string, d time.Duration) string {
		if d <= 0 {
			return transport + " none"
		}
		return transport + " " + duration(d)
	}, ", "))
	add("warm-up, window, drain", duration(w.Warmup)+", "+duration(w.Window)+", "+duration(w.Drain))

	add("system", strings.TrimSpace(h.OS+"/"+h.Arch+" "+h.Kernel))
	add("CPU", fmt.Sprintf("%s, %s", h.CPUModel, some(h.Cores, "core")))
	add("memory", size(h.MemoryBytes))
	add("congestion control", h.CongestionControl)
	add("clock source", h.ClockSource)
	add("file limit", metric.Count(h.FileLimit))
	add("port range", h.PortRange)
	add("load average before", h.LoadAverage)
	add("load average after", h.LoadAverageAfter)
	add("CPU stalls of idle cores before", h.Stalls)
	add("CPU stalls of idle cores after", h.StallsAfter)
	if h.TickRate != 0 {
		add("kernel tick", metric.Number(h.TickRate)+" Hz")
	}
	add("frequency governor", h.Governor)
	add("SMT active", h.SMT)
	add("CPU quota", h.CPUQuota)
	add("memory limit", h.MemoryLimit)
	add("default qdisc", h.Qdisc)
	add("Go settings", pairs(h.GoSettings, func(name, value string) string { return name + "=" + value }, " "))
	if p := m.Pinning; p.Requested {
		add("pinning", strings.TrimSpace(fmt.Sprintf("server on cores %v, generator on %v %s", p.Server, p.Generator, p.Note)))
	} else {
		add("pinning", strings.TrimSpace("none "+p.Note))
	}
	add("network", m.Network)
	add("round trip added", duration(m.RTT))
	if m.Jitter != 0 || m.LineRate != 0 {
		add("jitter, line", "up to "+duration(m.Jitter)+" each way, "+lineRate(m))
	}
	add("router", strings.TrimPrefix(router(m), ", "))
	add("engine, library", m.Engine+", "+m.Library)
	for _, name := range slices.Sorted(maps.Keys(h.Sysctls)) {
		add(name, h.Sysctls[name])
	}
	for _, transport := range slices.Sorted(maps.Keys(m.Servers)) {
		add(transport+" server", m.Servers[transport])
	}
	for _, c := range m.Conditions {
		add("condition", c)
	}
	for _, n := range m.NotShown {
		add("unknown", n)
	}
	return all
}

// pairs joins the entries of a map, sorted by key.
func pairs[V any](all map[string]V, text func(string, V) string, separator string) string {
	var parts []string
	for _, key := range slices.Sorted(maps.Keys(all)) {
		parts = append(parts, text(key, all[key]))
	}
	return strings.Join(parts, separator)
}

// unreproducible names the information that is missing to repeat the run.
func unreproducible(m results.Manifest) string {
	var missing []string
	for _, field := range [][2]string{
		{"commit", m.Tool.Commit},
		{"Go version", m.Tool.GoVersion},
		{"kernel", m.Host.Kernel},
		{"CPU model", m.Host.CPUModel},
		{"scenario hash", m.Workload.SHA256},
	} {
		if field[1] == "" {
			missing = append(missing, field[0])
		}
	}
	var reasons []string
	switch len(missing) {
	case 0:
	case 1:
		reasons = append(reasons, "its "+missing[0]+" is unknown")
	default:
		reasons = append(reasons, "its "+list(missing)+" are unknown")
	}
	if m.Tool.Dirty {
		reasons = append(reasons, "its build has uncommitted changes")
	}
	if len(reasons) == 0 {
		return ""
	}
	return "This run cannot be repeated exactly: " + list(reasons) + "."
}

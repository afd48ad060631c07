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

// manifestSection is what another person needs to run the same again.
func manifestSection(m results.Manifest) section {
	s := section{Title: "Manifest: what ran where", Head: []string{"what", "value"}, Note: unreproducible(m)}
	for _, pair := range slices.Concat(runPairs(m), workloadPairs(m.Workload), hostPairs(m), serverPairs(m)) {
		if pair[1] != "" {
			s.Rows = append(s.Rows, line{Cells: []string{pair[0], results.Plain(pair[1])}})
		}
	}
	return s
}

// unreproducible names what is missing for another person to repeat the run.
func unreproducible(m results.Manifest) string {
	var missing []string
	for _, need := range [][2]string{
		{"commit", m.Tool.Commit},
		{"Go version", m.Tool.GoVersion},
		{"kernel", m.Host.Kernel},
		{"CPU model", m.Host.CPUModel},
		{"scenario hash", m.Workload.SHA256},
	} {
		if need[1] == "" {
			missing = append(missing, need[0])
		}
	}
	if m.Tool.Dirty {
		missing = append(missing, "a clean checkout")
	}
	if len(missing) == 0 {
		return ""
	}
	return "UNREPRODUCIBLE: there is no " + strings.Join(missing, ", no ") + "."
}

func runPairs(m results.Manifest) [][2]string {
	return [][2]string{
		{"status", strings.TrimSpace(string(m.Status) + " " + m.Reason)},
		{"started", m.Started.UTC().Format(time.RFC3339)},
		{"ended", ended(m.Ended)},
		{"command", strings.Join(m.Command, " ")},
		{"run", fmt.Sprintf("%08x", m.RunID)},
		{"seed", strconv.FormatUint(m.Seed, 10)},
		{"blocks planned", strconv.Itoa(m.Blocks)},
		{"order of each block", orders(m.Orders)},
		{"schedule of each block", strings.Join(m.Schedules, " ")},
		{"pushbench", strings.TrimSpace(m.Tool.Version + " " + m.Tool.Commit + dirty(m.Tool.Dirty))},
		{"Go", m.Tool.GoVersion},
		{"executable SHA-256", m.Tool.SHA256},
		{"modules", strings.Join(m.Tool.Modules, ", ")},
	}
}

func ended(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}

func dirty(is bool) string {
	if is {
		return " (with uncommitted changes)"
	}
	return ""
}

func orders(orders [][]string) string {
	var said []string
	for _, o := range orders {
		said = append(said, strings.Join(o, " "))
	}
	return strings.Join(said, "; ")
}

func workloadPairs(w results.Workload) [][2]string {
	return [][2]string{
		{"scenario", w.Scenario + ": " + w.Description},
		{"scenario SHA-256", w.SHA256},
		{"clients, topics", fmt.Sprintf("%d, %d", w.Clients, w.Topics)},
		{"publisher, arrivals", w.Publisher + ", " + w.Arrivals},
		{"offered", fmt.Sprintf("%s messages/s published, %s deliveries/s, %s a client", metric.Number(w.PublishRate), metric.Number(w.DeliveryRate), metric.Number(w.PerClientRate))},
		{"payload", metric.Number(w.PayloadBytes) + " B on average"},
		{"delivery", w.Delivery},
		{"short polling", fmt.Sprintf("every %s, pacing %s", duration(w.PollInterval), w.PollPacing)},
		{"long polling", "hold " + duration(w.Hold)},
		{"flush window", flush(w.Flush)},
		{"warm-up, window, drain", duration(w.Warmup) + ", " + duration(w.Window) + ", " + duration(w.Drain)},
	}
}

func flush(by map[string]time.Duration) string {
	var said []string
	for _, transport := range slices.Sorted(maps.Keys(by)) {
		window := "none"
		if by[transport] > 0 {
			window = duration(by[transport])
		}
		said = append(said, transport+" "+window)
	}
	return strings.Join(said, ", ")
}

func hostPairs(m results.Manifest) [][2]string {
	h := m.Host
	pairs := [][2]string{
		{"system", strings.TrimSpace(h.OS + "/" + h.Arch + " " + h.Kernel)},
		{"CPU", fmt.Sprintf("%s, %s", h.CPUModel, some(h.Cores, "core"))},
		{"memory", size(h.MemoryBytes)},
		{"congestion control", h.CongestionControl},
		{"clock source", h.ClockSource},
		{"file limit", metric.Count(h.FileLimit)},
		{"port range", h.PortRange},
		{"load average before", h.LoadAverage},
		{"load average after", h.LoadAverageAfter},
		{"standstills of idle cores before", h.Standstills},
		{"standstills of idle cores after", h.StandstillsAfter},
		{"kernel tick", tick(h.TickRate)},
		{"frequency governor", h.Governor},
		{"SMT active", h.SMT},
		{"processor quota", h.CPUQuota},
		{"memory limit", h.MemoryLimit},
		{"default qdisc", h.Qdisc},
		{"Go settings", goSettings(h.GoSettings)},
		{"pinning", pinning(m.Pinning)},
		{"network", m.Network},
		{"round trip added", duration(m.RTT)},
		{"jitter, line", jitterAndLine(m)},
		{"router", strings.TrimPrefix(router(m), ", ")},
		{"engine, stack", m.Engine + ", " + m.Stack},
	}
	for _, name := range slices.Sorted(maps.Keys(h.Sysctls)) {
		pairs = append(pairs, [2]string{name, h.Sysctls[name]})
	}
	return pairs
}

// tick is empty where the system does not show it.
func tick(hertz float64) string {
	if hertz == 0 {
		return ""
	}
	return metric.Number(hertz) + " Hz"
}

func goSettings(set map[string]string) string {
	var said []string
	for _, name := range slices.Sorted(maps.Keys(set)) {
		said = append(said, name+"="+set[name])
	}
	return strings.Join(said, " ")
}

// jitterAndLine is empty on a network that has neither.
func jitterAndLine(m results.Manifest) string {
	if m.Jitter == 0 && m.LineRate == 0 {
		return ""
	}
	return "up to " + duration(m.Jitter) + " each way, " + lineRate(m)
}

func pinning(p results.Pinning) string {
	if !p.Asked {
		return strings.TrimSpace("none " + p.Note)
	}
	return strings.TrimSpace(fmt.Sprintf("server on cores %v, generator on %v %s", p.Server, p.Generator, p.Note))
}

func serverPairs(m results.Manifest) [][2]string {
	var pairs [][2]string
	for _, transport := range slices.Sorted(maps.Keys(m.Servers)) {
		pairs = append(pairs, [2]string{transport + " server", m.Servers[transport]})
	}
	for _, c := range m.Conditions {
		pairs = append(pairs, [2]string{"condition", c})
	}
	for _, n := range m.NotShown {
		pairs = append(pairs, [2]string{"not shown here", n})
	}
	return pairs
}

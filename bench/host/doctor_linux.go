package host

import (
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/procfs"

	"pushbench/bench/clock"
	"pushbench/bench/cost"
	"pushbench/results"
)

// examineSystem reads what the kernel shows at once.
func examineSystem() []Finding {
	var h results.Host
	describe(&h)
	return []Finding{
		ports(h.PortRange),
		clockSource(h.ClockSource),
		congestion(h.CongestionControl),
		quotaOfGroup(),
		memoryOfGroup(),
		swap(),
		governor(h.Governor),
	}
}

// ports says how many connections one address can have to one port of another.
func ports(from string) Finding {
	f := Finding{Check: "ephemeral ports", State: Hidden}
	low, high, found := strings.Cut(from, "–")
	first, err1 := strconv.Atoi(low)
	last, err2 := strconv.Atoi(high)
	if !found || err1 != nil || err2 != nil {
		return f
	}
	f.State, f.Found = Fine, fmt.Sprintf("%d (%s)", last-first+1, from)
	if last-first+1 < 20_000 {
		f.State, f.Advice = Caution, "Few connections fit between two addresses: widen net.ipv4.ip_local_port_range."
	}
	return f
}

func clockSource(name string) Finding {
	f := Finding{Check: "clock source", State: Fine, Found: name}
	switch name {
	case "":
		f.State = Hidden
	case "tsc", "kvm-clock", "arch_sys_counter": // read without entering the kernel
	default:
		f.State, f.Advice = Caution, "Each reading of the time may cost a system call, which both roles pay."
	}
	return f
}

func congestion(name string) Finding {
	f := Finding{Check: "congestion control", State: Fine, Found: name}
	switch name {
	case "":
		f.State = Hidden
	case "bbr":
		f.State, f.Advice = Caution, "bbr may pace, which delays bursts even on loopback: compare only runs with the same, and say which."
	}
	return f
}

// groupFile reads a file of our control group, of either version; empty where there is none.
func groupFile(controller, name string) string {
	for line := range strings.Lines(readLine("/proc/self/cgroup") + "\n") {
		_, rest, _ := strings.Cut(strings.TrimSpace(line), ":")
		controllers, group, _ := strings.Cut(rest, ":")
		root := "/sys/fs/cgroup"
		if controllers != "" {
			if !strings.Contains(","+controllers+",", ","+controller+",") {
				continue
			}
			root = path.Join(root, controllers)
		}
		for _, folder := range []string{path.Join(root, group), root} { // in a container the group's path is the host's
			if value := readLine(path.Join(folder, name)); value != "" {
				return value
			}
		}
	}
	return ""
}

func quotaOfGroup() Finding {
	return cpuQuota(groupFile("cpu", "cpu.max"), groupFile("cpu", "cpu.cfs_quota_us"), groupFile("cpu", "cpu.cfs_period_us"))
}

func memoryOfGroup() Finding {
	return memoryLimit(groupFile("memory", "memory.max"), groupFile("memory", "memory.limit_in_bytes"))
}

// cpuQuota reads version 2's "QUOTA PERIOD" in µs, or version 1's two files, where -1 is none.
func cpuQuota(v2, quota1, period1 string) Finding {
	f := Finding{Check: "processor quota", State: Hidden}
	fields := strings.Fields(v2)
	if len(fields) != 2 {
		fields = []string{quota1, period1}
	}
	if fields[0] == "" {
		return f
	}
	quota, err := strconv.ParseFloat(fields[0], 64)
	period, err2 := strconv.ParseFloat(fields[1], 64)
	if fields[0] == "max" || err == nil && quota < 0 {
		f.State, f.Found = Fine, "none"
		return f
	}
	if err != nil || err2 != nil || period <= 0 {
		return f
	}
	f.State, f.Found = Caution, fmt.Sprintf("%.2g cores", quota/period)
	f.Advice = "A trial in which the quota stops us is void: run without one."
	return f
}

// noLimit is beyond any machine: version 1 writes a huge number for none.
const noLimit = 1 << 60

func memoryLimit(v2, v1 string) Finding {
	f := Finding{Check: "memory limit", State: Hidden}
	value := v2
	if value == "" {
		value = v1
	}
	if value == "" {
		return f
	}
	limit, err := strconv.ParseInt(value, 10, 64)
	switch {
	case value == "max" || err == nil && limit >= noLimit:
		f.State, f.Found = Fine, "none"
	case err == nil:
		f.State, f.Found = Fine, fmt.Sprintf("%d MiB", limit>>20)
		if limit < 1<<30 {
			f.State, f.Advice = Caution, "Little for server and generator of ten thousand clients: raise it, or give --clients."
		}
	}
	return f
}

func swap() Finding {
	f := Finding{Check: "swap", State: Hidden}
	fs, err := procfs.NewDefaultFS()
	if err != nil {
		return f
	}
	memory, err := fs.Meminfo()
	if err != nil || memory.SwapTotalBytes == nil || memory.SwapFreeBytes == nil {
		return f
	}
	used := *memory.SwapTotalBytes - *memory.SwapFreeBytes
	f.State, f.Found = Fine, fmt.Sprintf("%d MiB, %d in use", *memory.SwapTotalBytes>>20, used>>20)
	if used > 0 {
		f.State, f.Advice = Caution, "What is swapped out is slow and in no resident size: free memory, then swapoff -a."
	}
	return f
}

func governor(name string) Finding {
	f := Finding{Check: "frequency governor", State: Fine, Found: name}
	switch name {
	case "":
		f.State = Hidden
	case "performance":
	default:
		f.State, f.Advice = Caution, "Processor time per message falls as the frequency rises with load: use the performance governor."
	}
	return f
}

// A look is what the kernel has counted up to one time.
type look struct {
	at        clock.Instant
	cpu       procfs.CPUStat
	cpuShown  bool
	busy      map[int]float64 // processor seconds of each process that we may see
	throttled int64
	counts    bool // throttling
}

func lookAround() look {
	l := look{at: clock.Now(), busy: map[int]float64{}}
	l.throttled, l.counts = cost.Throttled()
	fs, err := procfs.NewDefaultFS()
	if err != nil {
		return l
	}
	if stat, err := fs.Stat(); err == nil {
		l.cpu, l.cpuShown = stat.CPUTotal, true
	}
	all, err := fs.AllProcs()
	if err != nil {
		return l
	}
	for _, p := range all {
		if stat, err := p.Stat(); err == nil { // else it ended meanwhile, or hides
			l.busy[p.PID] = stat.CPUTime()
		}
	}
	return l
}

// compareLooks judges what others did between two looks; ours are not others.
func compareLooks(before, after look, ours []int) []Finding {
	return []Finding{
		otherLoad(before, after, ours),
		steal(before, after),
		throttling(before, after),
	}
}

func otherLoad(before, after look, ours []int) Finding {
	f := Finding{Check: "other load", State: Fine}
	span := after.at.Sub(before.at).Seconds()
	shares := map[int]float64{}
	total := 0.0
	var order []int
	for pid, cpu := range after.busy {
		share := (cpu - before.busy[pid]) / span
		if slices.Contains(ours, pid) || share < 0.01 { // a tick or so in the span
			continue
		}
		shares[pid] = share
		total += share
		order = append(order, pid)
	}
	if len(after.busy) == 0 {
		return Finding{Check: f.Check, State: Hidden}
	}
	slices.SortFunc(order, func(a, b int) int { return int(1e6 * (shares[b] - shares[a])) })
	f.Found = fmt.Sprintf("load average %s; other processes that we see use %.2f cores", LoadAverage(), total)
	for _, pid := range order[:min(3, len(order))] {
		f.Found += fmt.Sprintf(", %s %.2f", nameOf(pid), shares[pid])
	}
	if total > 0.05 {
		f.State, f.Advice = Caution, "Others compete for the cores: stop them before measuring."
	}
	return f
}

func nameOf(pid int) string {
	name := readLine(path.Join("/proc", strconv.Itoa(pid), "comm"))
	if name == "" {
		return "process " + strconv.Itoa(pid)
	}
	return results.Plain(name)
}

// steal is processor time that the host gave to others while we had work: what keeps
// the cores awake is work.
func steal(before, after look) Finding {
	f := Finding{Check: "steal", State: Hidden}
	if !before.cpuShown || !after.cpuShown {
		return f
	}
	stolen := after.cpu.Steal - before.cpu.Steal
	share := stolen / after.at.Sub(before.at).Seconds()
	f.State, f.Found = Fine, fmt.Sprintf("the host took %.2f cores in %v", share, after.at.Sub(before.at).Round(100*time.Millisecond))
	if product := readLine("/sys/class/dmi/id/product_name"); product != "" {
		f.Found += " (" + results.Plain(product) + ")"
	}
	if share > 0.01 {
		f.State, f.Advice = Caution, "A virtual machine on a busy host: expect trials to be measured again, or use a machine of your own."
	}
	return f
}

// throttling while we did nothing but prevent idle states, as every run does, would
// go on in a run, and the check "not throttled" would invalidate each trial of it.
func throttling(before, after look) Finding {
	f := Finding{Check: "throttling", State: Hidden}
	if !before.counts || !after.counts {
		return f
	}
	now := after.throttled - before.throttled
	f.State, f.Found = Fine, fmt.Sprintf("%d times so far, %d while we watched", after.throttled, now)
	if now > 0 {
		f.State, f.Advice = Void, "The control group's quota stops us: run without a quota."
	}
	return f
}

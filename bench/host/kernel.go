package host

import (
	"cmp"
	"fmt"
	"maps"
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
func examineSystem() []Diagnosis {
	var h results.Host
	describe(&h)
	return []Diagnosis{
		ports(h.PortRange),
		clockSource(h.ClockSource),
		congestion(h.CongestionControl),
		quotaOfGroup(),
		memoryOfGroup(),
		swap(),
		governor(h.Governor),
	}
}

// ports reports how many connections one address can have to one port of another.
func ports(from string) Diagnosis {
	low, high, found := strings.Cut(from, "–")
	first, err1 := strconv.Atoi(low)
	last, err2 := strconv.Atoi(high)
	n, text := last-first+1, ""
	if found && err1 == nil && err2 == nil {
		text = fmt.Sprintf("%d (%s)", n, from)
	}
	return judge("ephemeral ports", text, n < 20_000, "Few connections fit between two addresses: widen net.ipv4.ip_local_port_range.")
}

func clockSource(name string) Diagnosis {
	cheap := []string{"tsc", "kvm-clock", "arch_sys_counter"} // read without entering the kernel
	return judge("clock source", name, !slices.Contains(cheap, name), "Each reading of the time may cost a system call, which both roles pay.")
}

func congestion(name string) Diagnosis {
	return judge("congestion control", name, name == "bbr", "bbr may pace, which delays bursts even on loopback: compare only runs with the same, and say which.")
}

func quotaOfGroup() Diagnosis {
	return cpuQuota(cost.GroupFile("cpu", "cpu.max"), cost.GroupFile("cpu", "cpu.cfs_quota_us"), cost.GroupFile("cpu", "cpu.cfs_period_us"))
}

func memoryOfGroup() Diagnosis {
	return memoryLimit(cmp.Or(cost.GroupFile("memory", "memory.max"), cost.GroupFile("memory", "memory.limit_in_bytes")))
}

// cpuQuota reads version 2's "QUOTA PERIOD" in µs, or version 1's two files, where -1 is none.
func cpuQuota(v2, quota1, period1 string) Diagnosis {
	fields := strings.Fields(v2)
	if len(fields) != 2 {
		fields = []string{quota1, period1}
	}
	quota, err := strconv.ParseFloat(fields[0], 64)
	period, err2 := strconv.ParseFloat(fields[1], 64)
	found, limited := "", false
	switch {
	case fields[0] == "max" || err == nil && quota < 0:
		found = "none"
	case err == nil && err2 == nil && period > 0:
		found, limited = fmt.Sprintf("%.2g cores", quota/period), true
	}
	return judge("processor quota", found, limited, "A trial in which the quota stops us is void: run without one.")
}

// noLimit is beyond any machine: version 1 writes a huge number for none.
const noLimit = 1 << 60

func memoryLimit(value string) Diagnosis {
	limit, err := strconv.ParseInt(value, 10, 64)
	found := ""
	switch {
	case value == "max" || err == nil && limit >= noLimit:
		found, limit = "none", noLimit
	case err == nil:
		found = fmt.Sprintf("%d MiB", limit>>20)
	}
	return judge("memory limit", found, limit < 1<<30, "Little for server and generator of ten thousand clients: raise it, or give --clients.")
}

func swap() Diagnosis {
	var total, used uint64
	found := ""
	if fs, err := procfs.NewDefaultFS(); err == nil {
		if memory, err := fs.Meminfo(); err == nil && memory.SwapTotalBytes != nil && memory.SwapFreeBytes != nil {
			total, used = *memory.SwapTotalBytes, *memory.SwapTotalBytes-*memory.SwapFreeBytes
			found = fmt.Sprintf("%d MiB, %d in use", total>>20, used>>20)
		}
	}
	return judge("swap", found, used > 0, "What is swapped out is slow and in no resident size: free memory, then swapoff -a.")
}

func governor(name string) Diagnosis {
	return judge("frequency governor", name, name != "performance", "Processor time per message falls as the frequency rises with load: use the performance governor.")
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

// otherLoad is of processes that are not ours.
func otherLoad(before, after look, ours []int) Diagnosis {
	span := after.at.Sub(before.at).Seconds()
	shares := map[int]float64{}
	total, found := 0.0, ""
	for pid, cpu := range after.busy {
		if share := (cpu - before.busy[pid]) / span; !slices.Contains(ours, pid) && share >= 0.01 { // a tick or so in the span
			shares[pid] = share
			total += share
		}
	}
	if len(after.busy) > 0 {
		found = fmt.Sprintf("load average %s; other processes that we see use %.2f cores", LoadAverage(), total)
	}
	order := slices.SortedFunc(maps.Keys(shares), func(a, b int) int { return cmp.Compare(shares[b], shares[a]) })
	for _, pid := range order[:min(3, len(order))] {
		found += fmt.Sprintf(", %s %.2f", nameOf(pid), shares[pid])
	}
	return judge("other load", found, total > 0.05, "Others compete for the cores: stop them before measuring.")
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
func steal(before, after look) Diagnosis {
	span := after.at.Sub(before.at)
	share, found := (after.cpu.Steal-before.cpu.Steal)/span.Seconds(), ""
	if before.cpuShown && after.cpuShown {
		found = fmt.Sprintf("the host took %.2f cores in %v", share, span.Round(100*time.Millisecond))
		if product := readLine("/sys/class/dmi/id/product_name"); product != "" {
			found += " (" + results.Plain(product) + ")"
		}
	}
	return judge("steal", found, share > 0.01, "A virtual machine on a busy host: expect trials to be measured again, or use a machine of your own.")
}

// throttling while we did nothing but prevent idle states, as every run does, would
// go on in a run, and the check "not throttled" would invalidate each trial of it.
func throttling(before, after look) Diagnosis {
	found, now := "", after.throttled-before.throttled
	if before.counts && after.counts {
		found = fmt.Sprintf("%d times so far, %d while we watched", after.throttled, now)
	}
	f := judge("throttling", found, now > 0, "The control group's quota stops us: run without a quota.")
	if f.State == Warn {
		f.State = Fail
	}
	return f
}

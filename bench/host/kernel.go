package host

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/procfs"

	"pushbench/bench/clock"
	"pushbench/bench/cost"
	"pushbench/bench/validity"
	"pushbench/results"
)

// examineSystem diagnoses the values that the kernel reports without measurement.
func examineSystem() []Diagnosis {
	var h results.Host
	describe(&h)
	return []Diagnosis{
		ports(h.PortRange),
		backlog(h.Sysctls["net.core.somaxconn"]),
		clockSource(h.ClockSource),
		congestion(h.CongestionControl),
		quotaOfGroup(),
		memoryOfGroup(),
		swap(),
		governor(h.Governor),
	}
}

// ports diagnoses how many connections one address can have to one port of another.
func ports(from string) Diagnosis {
	low, high, found := strings.Cut(from, "–")
	first, err1 := strconv.Atoi(low)
	last, err2 := strconv.Atoi(high)
	n, text := last-first+1, ""
	if found && err1 == nil && err2 == nil {
		text = fmt.Sprintf("%d (%s)", n, from)
	}
	return judge("ephemeral ports", text, n < 20_000, "Two addresses can have only few connections: widen net.ipv4.ip_local_port_range.")
}

// backlog diagnoses the maximum length of a listen queue. Linux has 4096 since 5.4, and 128 before.
func backlog(somaxconn string) Diagnosis {
	n, err := strconv.Atoi(somaxconn)
	if err != nil {
		somaxconn = ""
	}
	return judge("listen queue", somaxconn, n < 1024, "A burst of new connections overflows it, and clients wait seconds for another attempt: raise net.core.somaxconn to 4096.")
}

// ListenOverflows returns how many connections the kernel has dropped from full listen queues in the network namespace of
// a process; 0 if it does not report it.
func ListenOverflows(pid int) int64 {
	fs, err := procfs.NewDefaultFS()
	if err != nil {
		return 0
	}
	p, err := fs.Proc(pid)
	if err != nil {
		return 0
	}
	n, err := p.Netstat()
	if err != nil || n.TcpExt.ListenOverflows == nil {
		return 0
	}
	return int64(*n.TcpExt.ListenOverflows)
}

func clockSource(name string) Diagnosis {
	cheap := []string{"tsc", "kvm-clock", "arch_sys_counter"} // read without entering the kernel
	return judge("clock source", name, !slices.Contains(cheap, name), "Each reading of the clock may cost server and load generator a system call.")
}

func congestion(name string) Diagnosis {
	return judge("congestion control", name, name == "bbr", "bbr can delay bursts, even on loopback. Compare only runs with the same algorithm.")
}

// quotaOfGroup diagnoses the smallest quota of the control group and those above it.
func quotaOfGroup() Diagnosis {
	return smallest(cost.GroupFiles("cpu", "cpu.max", "cpu.cfs_quota_us", "cpu.cfs_period_us"), func(files []string) (Diagnosis, float64) {
		return cpuQuota(files[0], files[1], files[2])
	})
}

// memoryOfGroup diagnoses the smallest memory limit of the control group and those above it.
func memoryOfGroup() Diagnosis {
	return smallest(cost.GroupFiles("memory", "memory.max", "memory.limit_in_bytes"), func(files []string) (Diagnosis, float64) {
		return memoryLimit(cmp.Or(files[0], files[1]))
	})
}

// smallest returns the diagnosis of the level with the smallest limit. A level whose limit is unknown counts only if all
// are.
func smallest(levels [][]string, judge func(files []string) (Diagnosis, float64)) Diagnosis {
	least, limit := judge(make([]string, 3))
	for _, files := range levels {
		if d, at := judge(files); d.State != Hidden && (least.State == Hidden || at < limit) {
			least, limit = d, at
		}
	}
	return least
}

// cpuQuota reads "QUOTA PERIOD" in µs of cgroup version 2, or the two files of version 1, where -1 means none. It also
// returns the limit in cores.
func cpuQuota(v2, quota1, period1 string) (Diagnosis, float64) {
	fields := strings.Fields(v2)
	if len(fields) != 2 {
		fields = []string{quota1, period1}
	}
	quota, err := strconv.ParseInt(fields[0], 10, 64)
	period, err2 := strconv.ParseInt(fields[1], 10, 64)
	found, limited, cores := "", false, math.Inf(1)
	switch {
	case fields[0] == "max" || err == nil && quota < 0:
		found = "none"
	case err == nil && err2 == nil && quota > 0 && period > 0:
		limited, cores = true, float64(quota)/float64(period)
		found = fmt.Sprintf("%.2g cores", cores)
	}
	return judge("processor quota", found, limited, "Throttling by the quota invalidates a trial: run without a quota."), cores
}

// noLimit exceeds the memory of any machine: cgroup version 1 writes a huge number for none.
const noLimit = 1 << 60

// memoryLimit also returns the limit in bytes.
func memoryLimit(value string) (Diagnosis, float64) {
	limit, err := strconv.ParseInt(value, 10, 64)
	found := ""
	switch {
	case value == "max" || err == nil && limit >= noLimit:
		found, limit = "none", noLimit
	case err == nil && limit >= 0:
		found = fmt.Sprintf("%d MiB", limit>>20)
	}
	return judge("memory limit", found, limit < 1<<30, "Too little for server and load generator with ten thousand clients: raise it, or lower --clients."), float64(limit)
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
	return judge("swap", found, used > 0, "Swapped memory is slow and missing from resident sizes: free memory, then swapoff -a.")
}

func governor(name string) Diagnosis {
	return judge("frequency governor", name, name != "performance", "CPU time per message falls as the frequency rises with load: use the performance governor.")
}

// counters are the values of the kernel's counters at one time.
type counters struct {
	at             clock.Instant
	cpu            procfs.CPUStat
	cpuShown       bool
	busy           map[int]float64 // CPU seconds of each visible process
	throttled      int64
	throttledShown bool
}

func readCounters() counters {
	c := counters{at: clock.Now(), busy: map[int]float64{}}
	c.throttled, c.throttledShown = cost.Throttled()
	fs, err := procfs.NewDefaultFS()
	if err != nil {
		return c
	}
	if stat, err := fs.Stat(); err == nil {
		c.cpu, c.cpuShown = stat.CPUTotal, true
	}
	all, err := fs.AllProcs()
	if err != nil {
		return c
	}
	for _, p := range all {
		if stat, err := p.Stat(); err == nil { // else the process exited meanwhile, or is hidden
			c.busy[p.PID] = stat.CPUTime()
		}
	}
	return c
}

// otherLoad diagnoses the CPU time of all processes except ours.
func otherLoad(before, after counters, ours []int) Diagnosis {
	span := after.at.Sub(before.at).Seconds()
	shares := map[int]float64{}
	total, found := 0.0, ""
	for pid, cpu := range after.busy {
		if share := (cpu - before.busy[pid]) / span; !slices.Contains(ours, pid) && share >= 0.01 { // about one tick in the span
			shares[pid] = share
			total += share
		}
	}
	if len(after.busy) > 0 {
		found = fmt.Sprintf("load average %s; other visible processes use %.2f cores", LoadAverage(), total)
	}
	order := slices.SortedFunc(maps.Keys(shares), func(a, b int) int { return cmp.Compare(shares[b], shares[a]) })
	for _, pid := range order[:min(3, len(order))] {
		found += fmt.Sprintf(", %s %.2f", nameOf(pid), shares[pid])
	}
	return judge("other load", found, total > 0.05, fmt.Sprintf("Stop them before measuring: a trial in which they use more than %.0f %% of the cores is INVALID.", 100*validity.MaxOtherLoad))
}

func nameOf(pid int) string {
	name := readLine(path.Join("/proc", strconv.Itoa(pid), "comm"))
	if name == "" {
		return "process " + strconv.Itoa(pid)
	}
	return results.Plain(name)
}

// steal diagnoses the CPU time that the host gave to other guests while this machine had
// work: preventing idle states counts as work.
func steal(before, after counters) Diagnosis {
	span := after.at.Sub(before.at)
	share, found := (after.cpu.Steal-before.cpu.Steal)/span.Seconds(), ""
	if before.cpuShown && after.cpuShown {
		found = fmt.Sprintf("the host took %.2f cores in %v", share, span.Round(100*time.Millisecond))
		if product := readLine("/sys/class/dmi/id/product_name"); product != "" {
			found += " (" + results.Plain(product) + ")"
		}
	}
	return judge("steal", found, share > 0.01, "The host of this virtual machine is busy: expect repeated trials, or use a dedicated machine.")
}

// throttling diagnoses throttling while this process only prevented idle states, as every
// run does. It would continue in a run, and the validity check "not throttled" would
// invalidate each trial.
func throttling(before, after counters) Diagnosis {
	found, now := "", after.throttled-before.throttled
	if before.throttledShown && after.throttledShown {
		found = "not throttled"
		if after.throttled > 0 {
			found = fmt.Sprintf("%d times so far, %d in the idle window", after.throttled, now)
		}
	}
	d := judge("throttling", found, now > 0, "The CPU quota of the control group throttles this process: run without a quota.")
	if d.State == Warn {
		d.State = Fail
	}
	return d
}

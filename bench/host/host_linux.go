package host

import (
	"math"
	"strings"
	"time"

	"github.com/prometheus/procfs"
	"golang.org/x/sys/unix"

	"pushbench/results"
)

var hostNotShown []string

// unshown names the values that Linux may report and this host did not.
func unshown(h results.Host) (names []string) {
	for _, value := range [][2]string{
		{"frequency governor", h.Governor},
		{"simultaneous multithreading", h.SMT},
		{"default qdisc", h.Qdisc},
		{"processor quota of the control group", h.CPUQuota},
		{"memory limit of the control group", h.MemoryLimit},
	} {
		if value[1] == "" {
			names = append(names, value[0])
		}
	}
	return names
}

// sysctls affect the measurements.
var sysctls = []string{
	"net/core/somaxconn",
	"net/core/rmem_max",
	"net/core/wmem_max",
	"net/ipv4/tcp_rmem",
	"net/ipv4/tcp_wmem",
	"net/ipv4/tcp_max_syn_backlog",
	"net/ipv4/tcp_tw_reuse",
	"net/ipv4/tcp_timestamps",
	"net/ipv4/tcp_autocorking",
	"net/ipv4/tcp_notsent_lowat",
}

func describe(h *results.Host) {
	h.Kernel = readLine("/proc/sys/kernel/osrelease")
	h.CongestionControl = readLine("/proc/sys/net/ipv4/tcp_congestion_control")
	h.ClockSource = readLine("/sys/devices/system/clocksource/clocksource0/current_clocksource")
	h.PortRange = strings.Join(strings.Fields(readLine("/proc/sys/net/ipv4/ip_local_port_range")), "–")
	h.LoadAverage = LoadAverage()
	h.TickRate = tickRate()
	h.Sysctls = map[string]string{}
	for _, name := range sysctls {
		if value := readLine("/proc/sys/" + name); value != "" {
			h.Sysctls[strings.ReplaceAll(name, "/", ".")] = strings.Join(strings.Fields(value), " ")
		}
	}
	var limit unix.Rlimit
	if unix.Getrlimit(unix.RLIMIT_NOFILE, &limit) == nil {
		h.FileLimit = int64(min(limit.Cur, math.MaxInt64)) // unlimited is more
	}
	h.Governor = readLine("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor")
	h.SMT = readLine("/sys/devices/system/cpu/smt/active")
	h.Qdisc = readLine("/proc/sys/net/core/default_qdisc")
	h.CPUQuota = quotaOfGroup().Found
	h.MemoryLimit = memoryOfGroup().Found
	describeMachine(h)
}

// tickRate returns the ticks per second of the kernel's timer: the coarse clock advances
// once per tick (clock_getres(2)). It returns 0 if the kernel does not report it.
func tickRate() float64 {
	var tick unix.Timespec
	if unix.ClockGetres(unix.CLOCK_MONOTONIC_COARSE, &tick) != nil || tick.Nano() <= 0 {
		return 0
	}
	return math.Round(float64(time.Second) / float64(tick.Nano()))
}

func describeMachine(h *results.Host) {
	fs, err := procfs.NewDefaultFS()
	if err != nil {
		return
	}
	if cpus, err := fs.CPUInfo(); err == nil && len(cpus) > 0 {
		h.CPUModel = cpus[0].ModelName
	}
	if memory, err := fs.Meminfo(); err == nil && memory.MemTotalBytes != nil {
		h.MemoryBytes = int64(*memory.MemTotalBytes)
	}
}

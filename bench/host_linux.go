package bench

import (
	"os"
	"strings"

	"github.com/prometheus/procfs"
	"golang.org/x/sys/unix"

	"pushbench/results"
)

var hostNotShown []string

// sysctls that change what is measured.
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
	h.LoadAverage = readLine("/proc/loadavg")
	h.Sysctls = map[string]string{}
	for _, name := range sysctls {
		if value := readLine("/proc/sys/" + name); value != "" {
			h.Sysctls[strings.ReplaceAll(name, "/", ".")] = strings.Join(strings.Fields(value), " ")
		}
	}
	var limit unix.Rlimit
	if unix.Getrlimit(unix.RLIMIT_NOFILE, &limit) == nil {
		h.FileLimit = int64(limit.Cur)
	}
	describeMachine(h)
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

// readLine reads a one-line file of the kernel's; empty where there is none.
func readLine(path string) string {
	data, err := os.ReadFile(path)
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(data))
}

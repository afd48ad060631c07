package cost

import (
	"cmp"
	"os"
	"path"
	"strconv"
	"strings"
)

// groupRoot is where the control groups are mounted.
const groupRoot = "/sys/fs/cgroup"

// GroupFiles reads files of the same names in the control group of this process and in each group above it, which also
// limits the process: the values of the own group first. It leaves out groups without any of the files, such as the root.
// The files are those of either version.
func GroupFiles(controller string, names ...string) [][]string {
	own, _ := os.ReadFile("/proc/self/cgroup")
	return groupFiles(groupRoot, string(own), controller, names)
}

// groupFiles reads below root. A line of own is "id:controllers:path" and has no controllers in version 2.
func groupFiles(root, own, controller string, names []string) (levels [][]string) {
	for line := range strings.Lines(own) {
		_, rest, _ := strings.Cut(strings.TrimSpace(line), ":")
		controllers, group, _ := strings.Cut(rest, ":")
		mount := root
		if controllers != "" {
			if !strings.Contains(","+controllers+",", ","+controller+",") {
				continue
			}
			mount = path.Join(root, controllers)
		}
		for group = path.Join("/", group); ; group = path.Dir(group) { // in a container, the folder may exist only from some level on
			values, found := make([]string, len(names)), false
			for i, name := range names {
				value, _ := os.ReadFile(path.Join(mount, group, name))
				values[i] = strings.TrimSpace(string(value))
				found = found || values[i] != ""
			}
			if found {
				levels = append(levels, values)
			}
			if group == "/" {
				break
			}
		}
	}
	return levels
}

// OutOfMemory returns how many processes the kernel has killed in the control group of this process because of a memory
// limit, that of the own group or of one above.
func OutOfMemory() (killed int64) {
	for _, level := range GroupFiles("memory", "memory.events", "memory.oom_control") {
		n, _ := counterIn(cmp.Or(level[0], level[1]), "oom_kill")
		killed = max(killed, n) // a group counts those of the groups below in version 2 only
	}
	return killed
}

// Throttled returns how often CPU quotas throttled this process since the creation of its control groups: that of its own
// group and those of the groups above. ok is false if the system does not report it.
func Throttled() (times int64, ok bool) {
	for _, level := range GroupFiles("cpu", "cpu.stat") {
		n, counted := counterIn(level[0], "nr_throttled")
		times, ok = times+n, ok || counted
	}
	return times, ok
}

// counterIn returns a counter of a file with one per line.
func counterIn(file, name string) (times int64, ok bool) {
	for line := range strings.Lines(file) {
		if value, found := strings.CutPrefix(line, name+" "); found {
			if times, err := strconv.ParseUint(strings.TrimSpace(value), 10, 63); err == nil {
				return int64(times), true
			}
			return 0, false
		}
	}
	return 0, false
}

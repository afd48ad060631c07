package cost

import (
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

// Throttled returns how often CPU quotas throttled this process since the creation of its control groups: that of its own
// group and those of the groups above. ok is false if the system does not report it.
func Throttled() (times int64, ok bool) {
	for _, level := range GroupFiles("cpu", "cpu.stat") {
		n, counted := throttledIn(level[0])
		times, ok = times+n, ok || counted
	}
	return times, ok
}

func throttledIn(stat string) (times int64, ok bool) {
	for line := range strings.Lines(stat) {
		if value, found := strings.CutPrefix(line, "nr_throttled "); found {
			times, err := strconv.ParseInt(strings.TrimSpace(value), 10, 64)
			return times, err == nil
		}
	}
	return 0, false
}

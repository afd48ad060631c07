package cost

import (
	"os"
	"path"
	"strconv"
	"strings"
)

// GroupFile reads a file of the control group of this process, of either version; it returns
// "" if the file does not exist. A line of /proc/self/cgroup is "id:controllers:path".
func GroupFile(controller, name string) string {
	own, _ := os.ReadFile("/proc/self/cgroup")
	for line := range strings.Lines(string(own)) {
		_, rest, _ := strings.Cut(strings.TrimSpace(line), ":")
		controllers, group, _ := strings.Cut(rest, ":")
		root := "/sys/fs/cgroup" // version 2 has no controllers here
		if controllers != "" {
			if !strings.Contains(","+controllers+",", ","+controller+",") {
				continue
			}
			root = path.Join(root, controllers)
		}
		for _, folder := range []string{path.Join(root, group), root} { // in a container the path of the group is that of the host
			if value, _ := os.ReadFile(path.Join(folder, name)); len(value) > 0 {
				return strings.TrimSpace(string(value))
			}
		}
	}
	return ""
}

// Throttled returns how often the CPU quota throttled the control group of this process since
// its creation. ok is false if the system does not report it.
func Throttled() (times int64, ok bool) { return throttledIn(GroupFile("cpu", "cpu.stat")) }

func throttledIn(stat string) (times int64, ok bool) {
	for line := range strings.Lines(stat) {
		if value, found := strings.CutPrefix(line, "nr_throttled "); found {
			times, err := strconv.ParseInt(strings.TrimSpace(value), 10, 64)
			return times, err == nil
		}
	}
	return 0, false
}

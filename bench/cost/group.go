package cost

import (
	"os"
	"path"
	"strconv"
	"strings"
)

// GroupFile reads a file of our control group, of either version; empty where there is none.
// A line of /proc/self/cgroup is "id:controllers:path".
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
		for _, folder := range []string{path.Join(root, group), root} { // in a container the group's path is the host's
			if value, _ := os.ReadFile(path.Join(folder, name)); len(value) > 0 {
				return strings.TrimSpace(string(value))
			}
		}
	}
	return ""
}

// Throttled is how often the processes of our control group were kept from running
// because their CPU quota was used up, since the group was made. ok is false where
// there is no such account.
func Throttled() (times int64, ok bool) { return throttledIn(GroupFile("cpu", "cpu.stat")) }

func throttledIn(account string) (times int64, ok bool) {
	for line := range strings.Lines(account) {
		if value, found := strings.CutPrefix(line, "nr_throttled "); found {
			times, err := strconv.ParseInt(strings.TrimSpace(value), 10, 64)
			return times, err == nil
		}
	}
	return 0, false
}

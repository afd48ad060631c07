package cost

import (
	"bufio"
	"os"
	"path"
	"strconv"
	"strings"
)

// Throttled is how often the processes of our control group were kept from running
// because their CPU quota was used up, since the group was made. ok is false where
// there is no such account.
func Throttled() (times int64, ok bool) {
	own, err := os.ReadFile("/proc/self/cgroup")
	if err != nil {
		return 0, false
	}
	for line := range strings.Lines(string(own)) {
		if times, ok := throttledIn(strings.TrimSpace(line)); ok {
			return times, true
		}
	}
	return 0, false
}

// throttledIn reads the account of one line of /proc/self/cgroup: "id:controllers:path".
func throttledIn(line string) (times int64, ok bool) {
	_, rest, _ := strings.Cut(line, ":")
	controllers, group, found := strings.Cut(rest, ":")
	if !found {
		return 0, false
	}
	root := "/sys/fs/cgroup" // version 2 has no controllers here
	if controllers != "" {
		if !strings.Contains(","+controllers+",", ",cpu,") {
			return 0, false
		}
		root = path.Join(root, controllers)
	}
	for _, folder := range []string{path.Join(root, group), root} { // in a container the group's path is the host's
		if times, ok := readThrottled(path.Join(folder, "cpu.stat")); ok {
			return times, true
		}
	}
	return 0, false
}

func readThrottled(file string) (times int64, ok bool) {
	f, err := os.Open(file)
	if err != nil {
		return 0, false
	}
	defer f.Close()
	for in := bufio.NewScanner(f); in.Scan(); {
		value, found := strings.CutPrefix(in.Text(), "nr_throttled ")
		if !found {
			continue
		}
		times, err := strconv.ParseInt(value, 10, 64)
		return times, err == nil
	}
	return 0, false
}

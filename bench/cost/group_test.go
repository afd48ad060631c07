package cost

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// A group above limits a process as its own group does, in either version.
func TestEachLevelOfTheControlGroupsIsRead(t *testing.T) {
	root := t.TempDir()
	for name, content := range map[string]string{
		"memory.max": "max", "a/cpu.max": "50000 100000\n", "a/b/c/cpu.max": "max 100000\n", // version 2: the root has no cpu.max
		"cpu,cpuacct/cpu.cfs_quota_us": "-1\n", "cpu,cpuacct/x/cpu.cfs_quota_us": "20000\n", "cpu,cpuacct/x/cpu.cfs_period_us": "100000\n",
	} {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(root, name)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(root, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for own, want := range map[string][][]string{
		"0::/a/b/c\n":                       {{"max 100000", "", ""}, {"50000 100000", "", ""}},
		"3:memory:/x\n2:cpu,cpuacct:/x/y\n": {{"", "20000", "100000"}, {"", "-1", ""}},
		"0::/../../a":                       {{"50000 100000", "", ""}}, // of another namespace of control groups
		"":                                  nil,
		"nonsense":                          nil,
	} {
		got := groupFiles(root, own, "cpu", []string{"cpu.max", "cpu.cfs_quota_us", "cpu.cfs_period_us"})
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%q: -want +got:\n%s", own, diff)
		}
	}
}

func TestThrottledIsReadFromEitherVersion(t *testing.T) {
	for name, test := range map[string]struct {
		content string
		want    int64
		ok      bool
	}{
		"version 1":  {"nr_periods 7\nnr_throttled 3\nthrottled_time 12\n", 3, true},
		"version 2":  {"usage_usec 1\nuser_usec 1\nnr_periods 0\nnr_throttled 0", 0, true},
		"no counter": {"usage_usec 1\n", 0, false},
		"corrupt":    {"nr_throttled many\n", 0, false},
		"nonsense":   {"nonsense", 0, false},
		"no file":    {"", 0, false},
	} {
		if got, ok := counterIn(test.content, "nr_throttled"); got != test.want || ok != test.ok {
			t.Errorf("%s: got %d, %v, want %d, %v", name, got, ok, test.want, test.ok)
		}
	}
	if n, ok := counterIn("low 0\noom 2\noom_kill 1\n", "oom_kill"); n != 1 || !ok {
		t.Errorf("oom_kill: got %d, %v, want 1", n, ok)
	}
	if got := GroupFiles("cpu", "no such file"); got != nil {
		t.Errorf("a missing file contains %q", got)
	}
}

// FuzzGroupFiles checks that no list of control groups leads to a file outside their folder, and that a counter is one
// that the file has.
func FuzzGroupFiles(f *testing.F) {
	f.Add("0::/user.slice/a\n", "usage_usec 1\nnr_throttled 7\n")
	f.Add("4:cpu,cpuacct:/docker/b\n1:name=systemd:/\n", "nr_throttled -1\n")
	f.Add("0::/../../a\n", "nr_throttled 99999999999999999999\n")
	folder := f.TempDir()
	root := filepath.Join(folder, "groups")
	if err := errors.Join(os.Mkdir(root, 0o700), os.WriteFile(filepath.Join(folder, "cpu.stat"), []byte("outside"), 0o600)); err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, own, file string) {
		if err := os.WriteFile(filepath.Join(root, "cpu.stat"), []byte(file), 0o600); err != nil {
			t.Fatal(err)
		}
		for _, level := range groupFiles(root, own, "cpu", []string{"cpu.stat", "none"}) {
			if len(level) != 2 || level[0] != strings.TrimSpace(file) || level[1] != "" {
				t.Errorf("%q: got %q", own, level)
			}
		}
		if n, ok := counterIn(file, "nr_throttled"); ok && n < 0 || !ok && n != 0 {
			t.Errorf("%q: the counter is %d, %t", file, n, ok)
		}
	})
}

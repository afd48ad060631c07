package host

import (
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/prometheus/procfs"
)

func TestCPUQuotaOfEitherVersion(t *testing.T) {
	for _, c := range []struct {
		v2, quota, period string
		state             State
		found             string
	}{
		{"max 100000", "", "", Fine, "none"},
		{"150000 100000", "", "", Warn, "1.5 cores"},
		{"", "-1", "100000", Fine, "none"},
		{"", "20000", "100000", Warn, "0.2 cores"},
		{"", "", "", Hidden, ""},
		{"", "20000", "0", Hidden, ""},
		{"", "many", "100000", Hidden, ""},
	} {
		if got, _ := cpuQuota(c.v2, c.quota, c.period); got.State != c.state || got.Found != c.found {
			t.Errorf("%q %q %q: got %s %q, want %s %q", c.v2, c.quota, c.period, got.State, got.Found, c.state, c.found)
		}
	}
}

// The smallest limit of all levels applies, wherever it is.
func TestSmallestLimitOfAllLevelsIsFound(t *testing.T) {
	quota := func(files []string) (Diagnosis, float64) { return cpuQuota(files[0], files[1], files[2]) }
	own, none, strict, unknown := []string{"150000 100000", "", ""}, []string{"max 100000", "", ""}, []string{"", "20000", "100000"}, []string{"", "", ""}
	for _, c := range []struct {
		levels [][]string
		state  State
		found  string
	}{
		{nil, Hidden, ""},
		{[][]string{unknown}, Hidden, ""},
		{[][]string{none, none}, Fine, "none"},
		{[][]string{none, strict, unknown}, Warn, "0.2 cores"},
		{[][]string{strict, own}, Warn, "0.2 cores"},
		{[][]string{own, strict, none}, Warn, "0.2 cores"},
	} {
		if got := smallest(c.levels, quota); got.State != c.state || got.Found != c.found {
			t.Errorf("%q: got %s %q, want %s %q", c.levels, got.State, got.Found, c.state, c.found)
		}
	}
}

func TestLowMemoryLimitWarns(t *testing.T) {
	for _, c := range []struct {
		value string
		state State
		found string
	}{
		{"max", Fine, "none"},
		{"9223372036854771712", Fine, "none"},
		{"536870912", Warn, "512 MiB"},
		{"4294967296", Fine, "4096 MiB"},
		{"", Hidden, ""},
		{"much", Hidden, ""},
	} {
		if got, _ := memoryLimit(c.value); got.State != c.state || got.Found != c.found {
			t.Errorf("%q: got %s %q, want %s %q", c.value, got.State, got.Found, c.state, c.found)
		}
	}
}

func TestFewEphemeralPortsWarn(t *testing.T) {
	for from, want := range map[string]State{"32768–60999": Fine, "40000–50000": Warn, "": Hidden, "a–b": Hidden} {
		if got := ports(from); got.State != want {
			t.Errorf("%q: got %s, want %s", from, got.State, want)
		}
	}
}

func TestShortListenQueueWarns(t *testing.T) {
	for somaxconn, want := range map[string]State{"4096": Fine, "1024": Fine, "128": Warn, "8": Warn, "": Hidden, "many": Hidden} {
		if got := backlog(somaxconn); got.State != want {
			t.Errorf("%q: got %s, want %s", somaxconn, got.State, want)
		}
	}
}

// A throttled control group invalidates every trial. The load of other processes does not,
// and does not include ours.
func TestCountersAreCompared(t *testing.T) {
	second := counters{at: 0, busy: map[int]float64{1: 5, 2: 7}, cpuShown: true, throttledShown: true}
	later := counters{
		at: second.at.Add(2 * time.Second), busy: map[int]float64{1: 6, 2: 9}, throttledShown: true, throttled: 1,
		cpuShown: true, cpu: procfs.CPUStat{Steal: 1},
	}
	if got := throttling(second, later); got.State != Fail {
		t.Errorf("throttling: got %s, want %s", got.State, Fail)
	}
	if got := steal(second, later); got.State != Warn || !strings.Contains(got.Found, "0.50 cores") {
		t.Errorf("steal: got %s %q, want half a core", got.State, got.Found)
	}
	if got := otherLoad(second, later, []int{2}); got.State != Warn || !strings.Contains(got.Found, "use 0.50 cores") || !strings.Contains(got.Advice, "10 %") {
		t.Errorf("other load: got %+v, want half a core and the limit of a trial", got)
	}
	if got := otherLoad(second, later, []int{1, 2}); got.State != Fine {
		t.Errorf("only our load: got %s %q, want %s", got.State, got.Found, Fine)
	}
	none := counters{}
	for _, got := range []Diagnosis{throttling(none, none), steal(none, none), otherLoad(none, none, nil)} {
		if got.State != Hidden || got.Found != "" {
			t.Errorf("%s without counters: got %s %q", got.Check, got.State, got.Found)
		}
	}
}

// FuzzKernelValues checks that what the kernel reports becomes a diagnosis of one printable line, and a limit that is a number.
func FuzzKernelValues(f *testing.F) {
	f.Add("32768–60999", "4096", "max 100000", "max")
	f.Add("", "x", "150000 100000", "1073741824")
	f.Add("9–1", "-1", "NaN 0", "9223372036854771712")
	f.Fuzz(func(t *testing.T, from, somaxconn, quota, memory string) {
		cores, atCores := cpuQuota(quota, "-1", "100000")
		limit, atBytes := memoryLimit(memory)
		if !(atCores > 0) || limit.State != Hidden && !(atBytes >= 0) {
			t.Errorf("%q, %q: the limits are %v cores and %v bytes", quota, memory, atCores, atBytes)
		}
		for _, d := range []Diagnosis{ports(from), backlog(somaxconn), cores, limit} {
			if strings.ContainsFunc(d.Found, func(r rune) bool { return !unicode.IsPrint(r) }) {
				t.Errorf("%q %q %q %q: %+v", from, somaxconn, quota, memory, d)
			}
		}
	})
}

package host

import (
	"strings"
	"testing"
	"time"

	"github.com/prometheus/procfs"
)

func TestProcessorQuota(t *testing.T) {
	for _, c := range []struct {
		v2, quota, period string
		state             Standing
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
		if got := cpuQuota(c.v2, c.quota, c.period); got.State != c.state || got.Found != c.found {
			t.Errorf("%q %q %q: got %s %q, want %s %q", c.v2, c.quota, c.period, got.State, got.Found, c.state, c.found)
		}
	}
}

func TestMemoryLimit(t *testing.T) {
	for _, c := range []struct {
		value string
		state Standing
		found string
	}{
		{"max", Fine, "none"},
		{"9223372036854771712", Fine, "none"},
		{"536870912", Warn, "512 MiB"},
		{"4294967296", Fine, "4096 MiB"},
		{"", Hidden, ""},
		{"much", Hidden, ""},
	} {
		if got := memoryLimit(c.value); got.State != c.state || got.Found != c.found {
			t.Errorf("%q: got %s %q, want %s %q", c.value, got.State, got.Found, c.state, c.found)
		}
	}
}

func TestPorts(t *testing.T) {
	for from, want := range map[string]Standing{"32768–60999": Fine, "40000–50000": Warn, "": Hidden, "a–b": Hidden} {
		if got := ports(from); got.State != want {
			t.Errorf("%q: got %s, want %s", from, got.State, want)
		}
	}
}

// A throttled group voids every trial; others' load does not, and ours is not theirs.
func TestLooksAreCompared(t *testing.T) {
	second := look{at: 0, busy: map[int]float64{1: 5, 2: 7}, cpuShown: true, counts: true}
	later := look{
		at: second.at.Add(2 * time.Second), busy: map[int]float64{1: 6, 2: 9}, counts: true, throttled: 1,
		cpuShown: true, cpu: procfs.CPUStat{Steal: 1},
	}
	if got := throttling(second, later); got.State != Fail {
		t.Errorf("throttling: got %s, want %s", got.State, Fail)
	}
	if got := steal(second, later); got.State != Warn || !strings.Contains(got.Found, "0.50 cores") {
		t.Errorf("steal: got %s %q, want half a core", got.State, got.Found)
	}
	if got := otherLoad(second, later, []int{2}); got.State != Warn || !strings.Contains(got.Found, "use 0.50 cores") {
		t.Errorf("other load: got %s %q, want half a core", got.State, got.Found)
	}
	if got := otherLoad(second, later, []int{1, 2}); got.State != Fine {
		t.Errorf("our own load: got %s %q, want %s", got.State, got.Found, Fine)
	}
	for _, got := range []Diagnosis{throttling(look{}, look{}), steal(look{}, look{}), otherLoad(look{}, look{}, nil)} {
		if got.State != Hidden || got.Found != "" {
			t.Errorf("%s where nothing is shown: got %s %q", got.Check, got.State, got.Found)
		}
	}
}

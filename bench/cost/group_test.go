package cost

import "testing"

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
		if got, ok := throttledIn(test.content); got != test.want || ok != test.ok {
			t.Errorf("%s: got %d, %v, want %d, %v", name, got, ok, test.want, test.ok)
		}
	}
	if got := GroupFile("cpu", "no such file"); got != "" {
		t.Errorf("a missing file contains %q", got)
	}
}

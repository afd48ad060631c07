package cost

import (
	"os"
	"path/filepath"
	"testing"
)

func TestReadThrottled(t *testing.T) {
	folder := t.TempDir()
	for name, test := range map[string]struct {
		content string
		want    int64
		ok      bool
	}{
		"version 1":  {"nr_periods 7\nnr_throttled 3\nthrottled_time 12\n", 3, true},
		"version 2":  {"usage_usec 1\nuser_usec 1\nnr_periods 0\nnr_throttled 0\n", 0, true},
		"no account": {"usage_usec 1\n", 0, false},
		"damaged":    {"nr_throttled many\n", 0, false},
	} {
		file := filepath.Join(folder, "cpu.stat")
		if err := os.WriteFile(file, []byte(test.content), 0o600); err != nil {
			t.Fatal(err)
		}
		if got, ok := readThrottled(file); got != test.want || ok != test.ok {
			t.Errorf("%s: got %d, %v, want %d, %v", name, got, ok, test.want, test.ok)
		}
	}
	if _, ok := readThrottled(filepath.Join(folder, "none")); ok {
		t.Error("a file that is not there has an account")
	}
	if _, ok := throttledIn("nonsense"); ok {
		t.Error("a line that is no group has an account")
	}
}

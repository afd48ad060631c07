package report

import (
	"testing"
	"time"
)

// A duration has no zero behind its last digit, and a setting is not rounded to another one.
func TestDurationsHaveTheDigitsTheyNeed(t *testing.T) {
	for d, want := range map[time.Duration][2]string{
		0:                        {"0 ms", "0 ms"},
		1500 * time.Microsecond:  {"1.5 ms", "1.5 ms"},
		47900 * time.Microsecond: {"47.9 ms", "48 ms"},
		250 * time.Millisecond:   {"250 ms", "250 ms"},
		998 * time.Millisecond:   {"998 ms", "1 s"},
		time.Second:              {"1 s", "1 s"},
		1250 * time.Millisecond:  {"1.25 s", "1.3 s"},
		1300 * time.Millisecond:  {"1.3 s", "1.3 s"},
		10 * time.Second:         {"10 s", "10 s"},
		12345 * time.Millisecond: {"12.3 s", "12 s"},
		100 * time.Second:        {"100 s", "100 s"},
		150 * time.Second:        {"2.5 min", "3 min"},
		743 * time.Second:        {"12.4 min", "12 min"},
		90 * time.Minute:         {"90 min", "90 min"},
		150 * time.Minute:        {"2.5 h", "3 h"},
	} {
		if got := [2]string{duration(d), roughly(d)}; got != want {
			t.Errorf("%v: got %q, want %q", d, got, want)
		}
	}
}

package scenarios

import (
	"encoding"
	"encoding/json"
	"math"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// quantity reads a quantity as YAML and JSON do.
func quantity[T any, P interface {
	*T
	encoding.TextUnmarshaler
}](text string) (v T, err error) {
	return v, P(&v).UnmarshalText([]byte(text))
}

func TestParseDuration(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"250ms": 250 * time.Millisecond, "25s": 25 * time.Second, "2m": 2 * time.Minute, "1m30s": 90 * time.Second,
		"1.5h": 90 * time.Minute, "0s": 0, "3us": 3 * time.Microsecond, "3µs": 3 * time.Microsecond, "1ns": 1,
	} {
		if got, err := ParseDuration(text); err != nil || got != Duration(want) {
			t.Errorf("ParseDuration(%q) = %v, %v; want %v", text, got, err, want)
		}
	}
	for _, text := range []string{"", "10", "0", "-5s", "+5s", "5 s", "s", "1e3s", "10sec", "5S", "1:30", "9999999h"} {
		if got, err := ParseDuration(text); err == nil {
			t.Errorf("ParseDuration(%q) = %v, want an error", text, got)
		}
	}
}

func TestParseRate(t *testing.T) {
	for text, want := range map[string]Rate{
		"200/s": 200, "30/min": 0.5, "1/h": 1.0 / 3600, "0.5/s": 0.5, "0/s": 0,
	} {
		if got, err := quantity[Rate](text); err != nil || got != want {
			t.Errorf("quantity[Rate](%q) = %v, %v; want %v", text, got, err, want)
		}
	}
	for _, text := range []string{
		"", "10", "10k", "10k/s", "-1/s", "+1/s", "1e3/s", "010/s", ".5/s", "5./s", "1/m", "1/d", "/s", "NaN/s", "Inf/s", "1 /s",
		"1" + strings.Repeat("0", 400) + "/s",
	} {
		if got, err := quantity[Rate](text); err == nil {
			t.Errorf("quantity[Rate](%q) = %v, want an error", text, got)
		}
	}
}

func TestParsePercent(t *testing.T) {
	for text, want := range map[string]Percent{"5%": 5, "0.5%": 0.5, "100%": 100, "0%": 0} {
		if got, err := quantity[Percent](text); err != nil || got != want {
			t.Errorf("quantity[Percent](%q) = %v, %v; want %v", text, got, err, want)
		}
	}
	for _, text := range []string{"", "5", "%", "-5%", "+5%", "05%", ".5%", "5 %", "5%%", "1e1%", "NaN%", "1" + strings.Repeat("0", 400) + "%"} {
		if got, err := quantity[Percent](text); err == nil {
			t.Errorf("quantity[Percent](%q) = %v, want an error", text, got)
		}
	}
}

func TestParseSize(t *testing.T) {
	for text, want := range map[string]Size{
		"128B": 128, "1KiB": 1024, "64KiB": 65536, "2kB": 2000, "1MiB": 1 << 20, "1MB": 1_000_000, "0B": 0,
	} {
		if got, err := quantity[Size](text); err != nil || got != want {
			t.Errorf("quantity[Size](%q) = %v, %v; want %v", text, got, err, want)
		}
	}
	for _, text := range []string{"", "128", "128b", "1KB", "1K", "1.5KiB", "-1B", "01B", "KiB", "9223372036854775808B", "9223372036854775807KiB"} {
		if got, err := quantity[Size](text); err == nil {
			t.Errorf("quantity[Size](%q) = %v, want an error", text, got)
		}
	}
}

func TestUnitsAreWrittenAsPeopleWriteThem(t *testing.T) {
	for _, c := range []struct{ got, want string }{
		{Duration(2 * time.Minute).String(), "2m"},
		{Duration(time.Hour).String(), "1h"},
		{Duration(61 * time.Minute).String(), "61m"}, // as in --window 61m, also in errors
		{Duration(90 * time.Second).String(), "90s"},
		{Duration(time.Hour + time.Second).String(), "3601s"},
		{Duration(time.Minute + time.Millisecond).String(), "1m0.001s"},
		{Duration(10 * time.Second).String(), "10s"},
		{Duration(1500 * time.Millisecond).String(), "1.5s"},
		{Duration(0).String(), "0s"},
		{Rate(2000).String(), "2000/s"},
		{Rate(2.5).String(), "2.5/s"},
		{Rate(1.0 / 60).String(), "1/min"},
		{Rate(7.0 / 3600).String(), "7/h"},
		{Rate(1.0 / 3).String(), "20/min"},
		{Rate(math.Inf(1)).String(), "+Inf/s"},
		{Size(128).String(), "128B"},
		{Size(2000).String(), "2kB"},
		{Size(64 << 10).String(), "64KiB"},
		{Size(1025).String(), "1025B"},
		{Size(0).String(), "0B"},
	} {
		if c.got != c.want {
			t.Errorf("got %s, want %s", c.got, c.want)
		}
	}
}

func TestUnitsSurviveJSON(t *testing.T) {
	type units struct {
		D Duration
		R Rate
		S Size
	}
	want := units{Duration(90 * time.Second), 0.5, 2000}
	data, err := json.Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	if text := `{"D":"90s","R":"30/min","S":"2kB"}`; string(data) != text {
		t.Errorf("got %s, want %s", data, text)
	}
	var got units
	if err := json.Unmarshal(data, &got); err != nil || got != want {
		t.Errorf("got %v, %v; want %v", got, err, want)
	}
	if err := json.Unmarshal([]byte(`{"R":10}`), &got); err == nil {
		t.Error("a bare number is accepted as a rate")
	}
}

func TestUnitsAreLossless(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := Duration(rapid.Int64Range(0, math.MaxInt64).Draw(t, "duration"))
		if got, err := ParseDuration(d.String()); err != nil || got != d {
			t.Fatalf("duration %d: %s reads as %d, %v", d, d, got, err)
		}
		r := Rate(rapid.Float64Range(0, math.MaxFloat64).Draw(t, "rate"))
		if got, err := quantity[Rate](r.String()); err != nil || got != r {
			t.Fatalf("rate %g: %s reads as %g, %v", float64(r), r, float64(got), err)
		}
		s := Size(rapid.Int64Range(0, math.MaxInt64).Draw(t, "size"))
		if got, err := quantity[Size](s.String()); err != nil || got != s {
			t.Fatalf("size %d: %s reads as %d, %v", s, s, got, err)
		}
	})
}

// FuzzUnits checks that writing and reading a quantity yields the same value.
func FuzzUnits(f *testing.F) {
	for _, text := range []string{"250ms", "1h0m1s", "30/min", "0.1/s", "64KiB", "10", "-1s", "1e9/s"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if d, err := ParseDuration(text); err == nil {
			if reread, err := ParseDuration(d.String()); err != nil || reread != d {
				t.Errorf("%q: %s reads as %s, %v", text, d, reread, err)
			}
		}
		if r, err := quantity[Rate](text); err == nil {
			if reread, err := quantity[Rate](r.String()); err != nil || reread != r {
				t.Errorf("%q: %s reads as %s, %v", text, r, reread, err)
			}
		}
		if s, err := quantity[Size](text); err == nil {
			if reread, err := quantity[Size](s.String()); err != nil || reread != s {
				t.Errorf("%q: %s reads as %s, %v", text, s, reread, err)
			}
		}
	})
}

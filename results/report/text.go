package report

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"pushbench/results/metric"
	"pushbench/results/summary"
)

// list joins words as prose does: "a", "a and b", "a, b and c".
func list(words []string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	last := len(words) - 1
	return strings.Join(words[:last], ", ") + " and " + words[last]
}

// some is a count with its noun: "1 block", "4 blocks".
func some(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return metric.Count(int64(n)) + " " + noun + "s"
}

// duration is d to two figures at most, in the unit people would use.
func duration(d time.Duration) string {
	switch {
	case d >= 2*time.Hour:
		return fmt.Sprintf("%.0f h", d.Hours())
	case d >= 2*time.Minute:
		return fmt.Sprintf("%.0f min", d.Minutes())
	case d >= 10*time.Second:
		return fmt.Sprintf("%.0f s", d.Seconds())
	case d >= time.Second:
		return metric.Number(math.Round(d.Seconds()*10)/10) + " s"
	default:
		return metric.Number(metric.Milliseconds(d)) + " ms"
	}
}

// withUnit prints a value and its unit; what is no number has none.
func withUnit(v summary.Value, unit string) string {
	if v.Known != summary.Shown || unit == "" {
		return v.String()
	}
	return v.String() + " " + unit
}

// between prints a range, once when both ends read alike.
func between(over summary.Range) string {
	lo, hi := over.Lo.String(), over.Hi.String()
	if lo == hi {
		return lo
	}
	return lo + "–" + hi
}

// size prints a size in binary units.
func size(n int64) string {
	units := []string{"B", "KiB", "MiB", "GiB", "TiB"}
	x, unit := float64(n), 0
	for x >= 1024 && unit < len(units)-1 {
		x, unit = x/1024, unit+1
	}
	return metric.Number(x) + " " + units[unit]
}

// ratioSaid prints a ratio, or an end of its interval.
func ratioSaid(x float64) string {
	switch {
	case math.IsNaN(x):
		return "–"
	case math.IsInf(x, 1):
		return "∞"
	case x >= 0.9 && x < 1.1:
		return strconv.FormatFloat(x, 'f', 3, 64) // 1.00 would hide on which side of 1 it lies
	default:
		return metric.Number(x)
	}
}

func interval(lo, hi float64) string { return ratioSaid(lo) + "–" + ratioSaid(hi) }

// pSaid prints a p-value.
func pSaid(p float64) string {
	if p < 0.001 {
		return "p < 0.001"
	}
	return "p " + figure(p)
}

// figure prints x with two significant digits and no more zeros than it needs.
func figure(x float64) string { return strconv.FormatFloat(x, 'g', 2, 64) }

func percent(share float64) string { return strconv.FormatFloat(100*share, 'g', 4, 64) + " %" }

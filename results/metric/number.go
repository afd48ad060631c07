package metric

import (
	"cmp"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

// units maps each unit of a metric to the units that a bound may use, with the size of each.
// "" allows a number without a unit.
var units = map[string]map[string]float64{
	"ms":  {"ns": 1e-6, "us": 1e-3, "µs": 1e-3, "ms": 1, "s": 1e3, "m": 6e4},
	"µs":  {"ns": 1e-3, "us": 1, "µs": 1, "ms": 1e3, "s": 1e6},
	"B":   {"B": 1, "kB": 1e3, "KiB": 1 << 10, "MB": 1e6, "MiB": 1 << 20},
	"KiB": {"B": 1.0 / 1024, "kB": 1e3 / 1024.0, "KiB": 1, "MB": 1e6 / 1024, "MiB": 1 << 10},
	"":    {"": 1, "%": 0.01},
}

// listUnits lists units in ascending order of size.
func listUnits(sizes map[string]float64) string {
	names := slices.SortedFunc(maps.Keys(sizes), func(a, b string) int {
		return cmp.Or(cmp.Compare(sizes[a], sizes[b]), strings.Compare(a, b))
	})
	for i, name := range names {
		names[i] = cmp.Or(name, "no unit")
	}
	return strings.Join(names, ", ")
}

// Number formats x with three significant digits, all digits of its integer part, separators
// between thousands, and no decimals for an integer: 0.412, 49.8, 50, 1,024.
func Number(x float64) string {
	size := math.Abs(x)
	switch {
	case math.IsInf(x, 1):
		return "∞"
	case size >= 99.95:
		return thousands(strconv.FormatFloat(x, 'f', 0, 64))
	case size >= 0.9995 && x == math.Trunc(x), x == 0:
		return strconv.FormatFloat(x, 'f', 0, 64)
	case size >= 9.995:
		return strconv.FormatFloat(x, 'f', 1, 64)
	case size >= 0.9995:
		return strconv.FormatFloat(x, 'f', 2, 64)
	case size >= 0.001:
		return strconv.FormatFloat(x, 'f', 3, 64)
	default:
		return strconv.FormatFloat(x, 'g', 2, 64)
	}
}

// Percent formats a share of 1, such as 0.021 as "2.10 %". A share above 0 is never printed as 0, nor with an exponent.
func Percent(share float64) string {
	if share > 0 && share < 0.0001 {
		return "< 0.01 %"
	}
	return Number(100*share) + " %"
}

// Count formats an integer with separators between thousands.
func Count(n int64) string { return thousands(strconv.FormatInt(n, 10)) }

func thousands(digits string) string {
	sign := ""
	if strings.HasPrefix(digits, "-") {
		sign, digits = "-", digits[1:]
	}
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return sign + digits
}

// Milliseconds returns d in the unit of the latency metrics.
func Milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

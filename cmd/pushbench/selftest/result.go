package selftest

import (
	"fmt"
	"math"
	"strconv"
	"time"
)

// exactly compares counts or words that must be equal.
func exactly[T comparable](what string, expected, measured T) Result {
	return Result{What: what, Expected: fmt.Sprint(expected), Measured: fmt.Sprint(measured), Passed: expected == measured}
}

// holds checks a condition.
func holds(what, expected string, passed bool) Result {
	measured := expected
	if !passed {
		measured = "not " + expected
	}
	return Result{What: what, Expected: expected, Measured: measured, Passed: passed}
}

// within compares values that may differ by an amount in the same unit.
func within(what, unit string, expected, measured, allowed float64) Result {
	return Result{
		What:     what,
		Expected: number(expected) + unit,
		Measured: number(measured) + unit,
		Allowed:  "± " + number(allowed) + unit,
		Passed:   math.Abs(measured-expected) <= allowed,
	}
}

// took compares durations and prints them in milliseconds.
func took(what string, expected, measured, allowed time.Duration) Result {
	return within(what, " ms", ms(expected), ms(measured), ms(allowed))
}

// between checks that a value lies in a range.
func between(what, unit string, low, high, measured float64) Result {
	return Result{
		What:     what,
		Expected: number(low) + " … " + number(high) + unit,
		Measured: number(measured) + unit,
		Passed:   measured >= low && measured <= high,
	}
}

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// number formats a value with four significant digits.
func number(x float64) string {
	if x == 0 {
		return "0"
	}
	return strconv.FormatFloat(x, 'g', max(4, int(math.Log10(math.Abs(x)))+1), 64)
}

package selftest

import (
	"fmt"
	"math"
	"strconv"
	"time"
)

// exactly is a row of counts or words that must be equal.
func exactly[T comparable](what string, theory, measured T) Result {
	return Result{What: what, Expected: fmt.Sprint(theory), Measured: fmt.Sprint(measured), Passed: theory == measured}
}

// holds is a row of a condition.
func holds(what, theory string, passed bool) Result {
	return Result{What: what, Expected: theory, Measured: fmt.Sprint(passed), Passed: passed}
}

// within is a row of figures that may differ by an amount, in their own unit.
func within(what, unit string, theory, measured, allowed float64) Result {
	return Result{
		What:     what,
		Expected: number(theory) + unit,
		Measured: number(measured) + unit,
		Allowed:  "± " + number(allowed) + unit,
		Passed:   math.Abs(measured-theory) <= allowed,
	}
}

// took is a row of durations, printed in milliseconds.
func took(what string, theory, measured, allowed time.Duration) Result {
	return within(what, " ms", ms(theory), ms(measured), ms(allowed))
}

// between is a row of a figure that must lie in a range.
func between(what, unit string, low, high, measured float64) Result {
	return Result{
		What:     what,
		Expected: number(low) + " … " + number(high) + unit,
		Measured: number(measured) + unit,
		Passed:   measured >= low && measured <= high,
	}
}

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// number prints four significant digits.
func number(x float64) string {
	if x == 0 {
		return "0"
	}
	return strconv.FormatFloat(x, 'g', max(4, int(math.Log10(math.Abs(x)))+1), 64)
}

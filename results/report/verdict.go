package report

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"pushbench/results"
	"pushbench/results/compare"
	"pushbench/results/metric"
)

// verdictLabel begins each sentence that judges.
const verdictLabel = "VERDICT"

// verdicts are the sentences that judge: the terms first, then one a declared
// metric. They are for a judgement that nothing withholds.
func verdicts(j compare.Judgement) []string {
	said := []string{terms(j)}
	for _, metric := range compare.Metrics(j.Family) {
		said = append(said, verdictOn(metric, compare.Of(metric, j.Family)))
	}
	return said
}

// terms are what was fixed before the first trial.
func terms(j compare.Judgement) string {
	said := fmt.Sprintf("%s from %d blocks: differences of less than %s do not matter, and p is adjusted (Holm) for the %s declared. "+
		"In brackets: the 95 %% interval of the ratio, then p.",
		verdictLabel, len(j.Blocks), percent(j.Declared.Margin), some(len(j.Family), "comparison"))
	if j.Variants > 1 {
		said += fmt.Sprintf(" Only cases of the same variant are compared; there are %d variants.", j.Variants)
	}
	if n := len(j.Blocks); !j.Decides() {
		said += fmt.Sprintf(" No difference can be significant yet: %d blocks have no p below %s, and one of %d comparisons must have less than %s; that takes %d blocks. Until then an order is by ranges alone.",
			n, figure(math.Ldexp(2, -n)), len(j.Family), figure(0.05/float64(len(j.Family))), j.Decisive)
	}
	return said
}

// saidVerdicts is their order in a sentence: what can be acted on comes first.
var saidVerdicts = []compare.Verdict{compare.Different, compare.Equivalent, compare.Small, compare.Inconclusive}

// verdictOn says of one metric who is what against whom.
func verdictOn(name string, all []compare.Difference) string {
	var parts []string
	for _, verdict := range saidVerdicts {
		var pairs []string
		for _, d := range all {
			if d.Verdict == verdict {
				pairs = append(pairs, pairSaid(d))
			}
		}
		if len(pairs) > 0 {
			parts = append(parts, string(verdict)+": "+strings.Join(pairs, ", "))
		}
	}
	if not := notComparable(all); not != "" {
		parts = append(parts, not)
	}
	return fmt.Sprintf("%s on %s: %s.", verdictLabel, metric.ByName(name).Title, strings.Join(parts, "; "))
}

// pairSaid is a pair in a sentence: "sse 0.52 × longpoll (0.50–0.54, p 0.009)".
func pairSaid(d compare.Difference) string {
	a, b := results.Plain(d.Names[0]), results.Plain(d.Names[1])
	inside := []string{interval(d.Lo, d.Hi), pSaid(d.Adjusted)}
	inside = append(inside, infinities(d)...)
	if d.Verdict == compare.Inconclusive || d.Verdict == compare.Small {
		inside = append(inside, moreBlocks(d))
	}
	return fmt.Sprintf("%s %s × %s (%s)", b, ratioSaid(d.Ratio), a, strings.Join(inside, ", "))
}

// notComparable lists the pairs without a ratio, and says each reason once.
func notComparable(all []compare.Difference) string {
	var pairs, reasons []string
	for _, d := range all {
		if d.Verdict != compare.Incomparable {
			continue
		}
		pairs = append(pairs, pairName(d))
		for _, reason := range d.Warnings {
			if said := results.Plain(reason.Error()); !slices.Contains(reasons, said) {
				reasons = append(reasons, said)
			}
		}
	}
	if len(pairs) == 0 {
		return ""
	}
	return fmt.Sprintf("%s: %s (%s)", compare.Incomparable, strings.Join(pairs, ", "), strings.Join(reasons, "; "))
}

// moreBlocks says how far an open comparison is from a decision.
func moreBlocks(d compare.Difference) string {
	if d.Needed == 0 {
		return "blocks needed: cannot be said"
	}
	return fmt.Sprintf("about %s blocks needed, %s more", metric.Count(int64(d.Needed)), metric.Count(int64(d.Needed-d.Blocks)))
}

// infinities says in how many blocks a side never came to a figure.
func infinities(d compare.Difference) []string {
	var said []string
	for side, n := range d.Infinite {
		if n > 0 {
			said = append(said, fmt.Sprintf("%s inf in %d of %d", results.Plain(d.Names[side]), n, d.Blocks))
		}
	}
	return said
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

func plural(n int, noun string) string {
	if n == 1 {
		return noun
	}
	return noun + "s"
}

func numbers(ns []int) []string {
	said := make([]string, len(ns))
	for i, n := range ns {
		said[i] = strconv.Itoa(n)
	}
	return said
}

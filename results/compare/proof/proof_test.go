package proof

import (
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"testing"
	"text/tabwriter"
	"time"

	"pushbench/results/compare"
)

func table(all []Check) string {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "\nwhat\ttheory\tmeasured\ttolerance\tpass")
	for _, c := range all {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%v\n", c.What, c.Expected, c.Measured, c.Tolerance, c.Pass)
	}
	w.Flush()
	return b.String()
}

func TestTheStatisticsHoldAgainstKnownTruths(t *testing.T) {
	all := Checks(Seed)
	t.Log(table(all))
	if !Passed(all) {
		t.Error("a check does not hold")
	}
}

// Each check fails when the procedure is wrong in the way it is there to find.
func TestTheChecksCanFail(t *testing.T) {
	right := compare.Plan{}.All
	spoilt := func(spoil func(*compare.Difference)) judge {
		return func(family []compare.Pairing) []compare.Difference {
			found := right(family)
			for i := range found {
				spoil(&found[i])
			}
			return found
		}
	}
	for name, c := range map[string]Check{
		"p too small":         falseAlarms(Seed, spoilt(func(d *compare.Difference) { d.P /= 2 }), 12, 2000),
		"p too large":         falseAlarms(Seed, spoilt(func(d *compare.Difference) { d.P *= 2 }), 8, 2000),
		"one-sided, no Holm":  falseVerdicts(Seed, spoilt(func(d *compare.Difference) { d.Verdict = verdictOf(d.P/2 < 0.05) })),
		"never significant":   power(Seed, spoilt(func(d *compare.Difference) { d.P = 1 }), "", quiet, 12, 50),
		"wrong way round":     power(Seed, spoilt(func(d *compare.Difference) { d.Ratio = 1 / d.Ratio }), "", quiet, 12, 50),
		"interval too narrow": coverage(Seed, spoilt(func(d *compare.Difference) { d.Lo, d.Hi = math.Pow(d.Lo, 0.7), math.Pow(d.Hi, 0.7) })),
		"interval too wide":   coverage(Seed, spoilt(func(d *compare.Difference) { d.Lo, d.Hi = d.Lo/1.2, d.Hi*1.2 })),
		"equivalent by the 50 % interval": equivalence(Seed, spoilt(func(d *compare.Difference) {
			// The 90 % interval narrowed as one of 50 % is: by the normal law, 0.67 to 1.64.
			if lo, hi := narrowed(*d, 0.41); lo > 1/1.05 && hi < 1.05 {
				d.Verdict = compare.Equivalent
			}
		}), "", 1.05, "", 0, 0.063),
		"never equivalent":  equivalence(Seed, spoilt(func(d *compare.Difference) { d.Verdict = compare.Inconclusive }), "", 1, "", 0.95, 1),
		"not antisymmetric": reciprocity(Seed, spoilt(func(d *compare.Difference) { d.Ratio *= 1.0001 })),
		"first block only": permutation(Seed, func(family []compare.Pairing) []compare.Difference {
			found := right(family)
			found[0].Ratio = family[0].B[0] / family[0].A[0]
			return found
		}),
	} {
		if c.Pass {
			t.Errorf("%s: the check passes: %+v", name, c)
		}
	}
}

// narrowed is the 90 % interval drawn in about the estimate.
func narrowed(d compare.Difference, by float64) (lo, hi float64) {
	return d.Ratio * math.Pow(d.Lo90/d.Ratio, by), d.Ratio * math.Pow(d.Hi90/d.Ratio, by)
}

func verdictOf(different bool) compare.Verdict {
	if different {
		return compare.Different
	}
	return compare.Inconclusive
}

// Neither the number of processors nor the time zone or the locale is anywhere
// in the numbers.
func TestTheSameSeedGivesTheSameChecks(t *testing.T) {
	few := func() []Check {
		return []Check{falseAlarms(7, compare.Plan{}.All, 8, 200), reciprocity(7, compare.Plan{}.All)}
	}
	want := few()
	t.Setenv("TZ", "Pacific/Kiritimati")
	t.Setenv("LC_ALL", "de_DE.UTF-8")
	local := time.Local
	time.Local = time.FixedZone("elsewhere", 14*3600)
	defer func() { time.Local = local }()
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	if got := few(); !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestLive(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 1))
	series := func(n int, truth float64) []compare.Pairing {
		all := make([]compare.Pairing, n)
		for i := range all {
			values := quiet.run(random, 12, [sides]float64{10, 10 * truth, 1, 1})
			all[i] = compare.Pairing{A: values[0], B: values[1]}
		}
		return all
	}
	rounded := slices.Repeat([]compare.Pairing{{A: slices.Repeat([]float64{10}, 8), B: slices.Repeat([]float64{11}, 8)}}, 20)
	for _, c := range []struct {
		name       string
		truth      float64 // given to Live, as the next is
		resolution float64
		series     []compare.Pairing
		pass       bool
	}{
		{"10 against 10.5", 1.05, 0, series(20, 1.05), true},
		{"10.5 against 10", 1 / 1.05, 0, series(20, 1/1.05), true},
		{"no difference", 1.05, 0, series(20, 1), false},
		{"the other way", 1.05, 0, series(20, 1/1.05), false},
		{"more than reported", 1.05, 0, series(20, 1.2), false},
		{"nothing", 1.05, 0, nil, false},
		{"rounded, within the resolution", 1.1005, 0.001, rounded, true},
		{"rounded, and a wrong truth", 1.103, 0.001, rounded, false},
		{"rounded, and the resolution unknown", 1.1005, 0, rounded, false},
	} {
		all := Live(c.name, slices.Repeat([]float64{c.truth}, len(c.series)), c.resolution, c.series)
		t.Log(table(all))
		if Passed(all) != c.pass {
			t.Errorf("%s: passed %v, want %v", c.name, !c.pass, c.pass)
		}
	}
}

// A shift of 5 % needs about (1.96 + 1.64)² σ²/ln² 1.05 blocks to be found in 95 %
// of runs, σ being the noise of a block's log ratio: the square of the noise decides.
func TestHowManyBlocksAShiftTakes(t *testing.T) {
	for _, c := range []struct {
		sigma       float64
		few, enough int
	}{
		{sigma: 0.02, few: 4, enough: 8},
		{sigma: 0.05, few: 8, enough: 24},
	} {
		r := rig{sigma: c.sigma, correlation: 0.5}
		few, enough := power(Seed, compare.Plan{}.All, "few", r, c.few, 100), power(Seed, compare.Plan{}.All, "enough", r, c.enough, 100)
		t.Logf("noise of a trial %.0f %%: %d blocks find %s, %d blocks find %s", 100*c.sigma, c.few, few.Measured, c.enough, enough.Measured)
		if few.Pass || !enough.Pass {
			t.Errorf("noise %v: %+v, %+v", c.sigma, few, enough)
		}
	}
	outliers := power(Seed, compare.Plan{}.All, "outliers", rig{sigma: 0.02, correlation: 0.5, outliers: 0.02}, 12, 200)
	t.Logf("noise of a trial 2 %% and one trial in fifty three times as large: 12 blocks find %s", outliers.Measured)
	if outliers.Pass {
		t.Error("outliers cost nothing: the caution in the documentation is out of date")
	}
}

func BenchmarkChecks(b *testing.B) {
	for b.Loop() {
		Checks(Seed)
	}
}

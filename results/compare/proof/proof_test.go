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
	fmt.Fprintln(w, "\nwhat\texpected\tmeasured\ttolerance\tpass")
	for _, c := range all {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%v\n", c.What, c.Expected, c.Measured, c.Tolerance, c.Pass)
	}
	w.Flush()
	return b.String()
}

func TestChecksPass(t *testing.T) {
	all := Checks(Seed)
	t.Log(table(all))
	if !Passed(all) {
		t.Error("a check failed")
	}
}

// Each check fails if the procedure has the error that it must detect.
func TestChecksDetectErrors(t *testing.T) {
	right := compare.Plan{}.All
	altered := func(alter func(*compare.Difference)) procedure {
		return func(family []compare.Pairing) []compare.Difference {
			found := right(family)
			for i := range found {
				alter(&found[i])
			}
			return found
		}
	}
	for name, c := range map[string]Check{
		"p too small":         falsePositives(Seed, altered(func(d *compare.Difference) { d.P /= 2 }), 12, 2000),
		"p too large":         falsePositives(Seed, altered(func(d *compare.Difference) { d.P *= 2 }), 8, 2000),
		"one-sided, no Holm":  falseVerdicts(Seed, altered(func(d *compare.Difference) { d.Verdict = verdictOf(d.P/2 < 0.05) })),
		"never significant":   power(Seed, altered(func(d *compare.Difference) { d.P = 1 }), "", quiet, 12, 50),
		"sides reversed":      power(Seed, altered(func(d *compare.Difference) { d.Ratio = 1 / d.Ratio }), "", quiet, 12, 50),
		"interval too narrow": coverage(Seed, altered(func(d *compare.Difference) { d.Lo, d.Hi = math.Pow(d.Lo, 0.7), math.Pow(d.Hi, 0.7) })),
		"interval too wide":   coverage(Seed, altered(func(d *compare.Difference) { d.Lo, d.Hi = d.Lo/1.2, d.Hi*1.2 })),
		"equivalent by the 50 % interval": equivalence(Seed, altered(func(d *compare.Difference) {
			// The 90 % interval narrowed to one of 50 %: for the normal distribution, 0.67 to 1.64.
			if lo, hi := narrowed(*d, 0.41); lo > 1/1.05 && hi < 1.05 {
				d.Verdict = compare.Equivalent
			}
		}), "", 1.05, "", 0, 0.063),
		"never equivalent":  equivalence(Seed, altered(func(d *compare.Difference) { d.Verdict = compare.Inconclusive }), "", 1, "", 0.95, 1),
		"not antisymmetric": reciprocity(Seed, altered(func(d *compare.Difference) { d.Ratio *= 1.0001 })),
		"first repetition only": permutation(Seed, func(family []compare.Pairing) []compare.Difference {
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

// narrowed returns the 90 % interval, narrowed about the estimate.
func narrowed(d compare.Difference, by float64) (lo, hi float64) {
	return d.Ratio * math.Pow(d.Lo90/d.Ratio, by), d.Ratio * math.Pow(d.Hi90/d.Ratio, by)
}

func verdictOf(different bool) compare.Verdict {
	if different {
		return compare.Different
	}
	return compare.Inconclusive
}

// The result is independent of the number of processors, the time zone and the locale.
func TestSameSeedGivesTheSameChecks(t *testing.T) {
	few := func() []Check {
		return []Check{falsePositives(7, compare.Plan{}.All, 8, 200), reciprocity(7, compare.Plan{}.All)}
	}
	want := few()
	t.Setenv("TZ", "Pacific/Kiritimati")
	t.Setenv("LC_ALL", "de_DE.UTF-8")
	local := time.Local
	time.Local = time.FixedZone("+14", 14*3600)
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
		{"the opposite direction", 1.05, 0, series(20, 1/1.05), false},
		{"more than reported", 1.05, 0, series(20, 1.2), false},
		{"no comparison", 1.05, 0, nil, false},
		{"rounded, within the resolution", 1.1005, 0.001, rounded, true},
		{"rounded, and a wrong true ratio", 1.103, 0.001, rounded, false},
		{"rounded, with a resolution of zero", 1.1005, 0, rounded, false},
	} {
		all := Live(c.name, slices.Repeat([]float64{c.truth}, len(c.series)), c.resolution, c.series)
		t.Log(table(all))
		if Passed(all) != c.pass {
			t.Errorf("%s: passed %v, want %v", c.name, !c.pass, c.pass)
		}
	}
}

// Finding a difference of 5 % in 95 % of runs requires about (1.96 + 1.64)² σ²/ln² 1.05 repetitions,
// where σ is the noise of the log ratio of a repetition: their number grows with its square.
func TestRepetitionsGrowWithTheSquareOfTheNoise(t *testing.T) {
	for _, c := range []struct {
		sigma       float64
		few, enough int
	}{
		{sigma: 0.02, few: 4, enough: 8},
		{sigma: 0.05, few: 8, enough: 24},
	} {
		s := setup{sigma: c.sigma, correlation: 0.5}
		few, enough := power(Seed, compare.Plan{}.All, "few", s, c.few, 100), power(Seed, compare.Plan{}.All, "enough", s, c.enough, 100)
		t.Logf("noise of a trial %.0f %%: %d repetitions find %s, %d repetitions find %s", 100*c.sigma, c.few, few.Measured, c.enough, enough.Measured)
		if few.Pass || !enough.Pass {
			t.Errorf("noise %v: %+v, %+v", c.sigma, few, enough)
		}
	}
	outliers := power(Seed, compare.Plan{}.All, "outliers", setup{sigma: 0.02, correlation: 0.5, outliers: 0.02}, 12, 200)
	t.Logf("noise of a trial 2 %% and one trial in fifty three times as large: 12 repetitions find %s", outliers.Measured)
	if outliers.Pass {
		t.Error("outliers have no effect: the caution in the documentation is outdated")
	}
}

func BenchmarkChecks(b *testing.B) {
	for b.Loop() {
		Checks(Seed)
	}
}

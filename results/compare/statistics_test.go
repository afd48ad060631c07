package compare

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// docs/statistics.md has the counts that the procedure uses. The test prints the table that it must have.
func TestStatisticsPageHasTheExactCounts(t *testing.T) {
	page, err := os.ReadFile(filepath.Join("..", "..", "docs", "statistics.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(page), "<!-- counts -->\n")
	got, _, _ := strings.Cut(rest, "<!-- end -->")
	var want strings.Builder
	want.WriteString("| repetitions | smallest p | comparisons that can be decided | means of pairs | 95 % interval | its coverage | 90 % interval | its coverage |\n|---|---|---|---|---|---|---|---|\n")
	for _, n := range []int{4, 5, 6, 8, 9, 10, 11, 12, 16} {
		fmt.Fprintf(&want, "| %d | %.2g | %s | %d | %s | %s |\n", n, SignFlip(ones(n)), decidable(n), n*(n+1)/2, interval(n, 0.05), interval(n, 0.10))
	}
	if got != want.String() {
		t.Errorf("docs/statistics.md: got\n%s\nwant\n%s", got, want.String())
	}
}

// ones are n ratios that all point in the same direction.
func ones(n int) []float64 {
	xs := make([]float64, n)
	for i := range xs {
		xs[i] = 1
	}
	return xs
}

// decidable returns the largest family of which a member can be significant with n repetitions.
func decidable(n int) string {
	size := 0
	for n >= (Plan{}).MinDecisive(size+1) && size < 10_000 {
		size++
	}
	if n < MinRepetitions {
		return "none: no verdict"
	}
	return fmt.Sprint(size)
}

// interval returns the two columns of an interval: its ranks, and the probability that it contains the
// true ratio.
func interval(n int, alpha float64) string {
	k := signedRankCritical(n, alpha/2)
	if k == 0 {
		return "unbounded | –"
	}
	tail := 0.0
	for _, p := range signedRankDistribution(n)[:k] {
		tail += p
	}
	return fmt.Sprintf("%d to %d | %.1f %%", k, n*(n+1)/2-k+1, 100*(1-2*tail))
}

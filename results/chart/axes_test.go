package chart

import (
	"slices"
	"testing"
)

func labels(ticks []Tick) []string {
	var all []string
	for _, t := range ticks {
		all = append(all, t.Label)
	}
	return all
}

func TestTicks(t *testing.T) {
	for name, c := range map[string]struct {
		ticks []Tick
		want  []string
	}{
		"percentiles to three nines": {percentileTicks(1000), []string{"0 %", "50 %", "90 %", "99 %", "99.9 %"}},
		"percentiles to five nines":  {percentileTicks(1e5), []string{"0 %", "50 %", "90 %", "99 %", "99.9 %", "99.99 %", "99.999 %"}},
		"two decades":                {logTicks(8, 900), []string{"10", "20", "50", "100", "200", "500"}},
		"less than one":              {logTicks(0.04, 0.3), []string{"0.05", "0.1", "0.2"}},
		"four decades":               {logTicks(1, 10_000), []string{"1", "", "", "10", "", "", "100", "", "", "1,000", "", "", "10,000"}},
		"linear":                     {linearTicks(0, 23, 5), []string{"0", "5", "10", "15", "20"}},
		"linear below one":           {linearTicks(0, 0.47, 5), []string{"0", "0.1", "0.2", "0.3", "0.4"}},
		"before the window":          {linearTicks(-2, 3, 5), []string{"-2", "-1", "0", "1", "2", "3"}},
		"a short logarithmic axis":   {logTicks(0.93, 1.11), []string{"0.95", "1", "1.05", "1.1"}},
		"nothing to show":            {linearTicks(0, 0, 5), []string{"0"}},
	} {
		if got := labels(c.ticks); !slices.Equal(got, c.want) {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

// Vertical labels above narrow bars stay below the title of the panel.
func TestVerticalLabelsHaveRoom(t *testing.T) {
	top := func(label string) float64 {
		p := Panel{X: Axis{Scale: named, Names: []string{"all"}}, Y: Axis{Scale: linear}}
		for i := range 60 {
			p.Series = append(p.Series, Series{Kind: bars, X: []float64{float64(i)/60 - 0.5}, Y: []float64{11}, Width: 0.8 / 60, Labels: []string{label}})
		}
		p = Chart{Panels: []Panel{p}}.complete().Panels[0]
		return p.Y.Share(11)
	}
	if short, long := top("1"), top("11.0\n0.202"); short < 0.8 || long > 0.75 {
		t.Errorf("the bars reach %.2f of the panel below short labels and %.2f below long ones, want at least 0.8 and at most 0.75", short, long)
	}
}

package metric

import "testing"

func TestPercentHasNoExponent(t *testing.T) {
	for share, want := range map[float64]string{0: "0 %", 7.2e-7: "< 0.01 %", 0.0001: "0.010 %", 0.021: "2.10 %", 1.5: "150 %"} {
		if got := Percent(share); got != want {
			t.Errorf("Percent(%v) is %q, want %q", share, got, want)
		}
	}
}

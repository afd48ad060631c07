package report

import (
	"fmt"
	"testing"
)

func TestCausesAreFew(t *testing.T) {
	by := map[string]int64{}
	for i := range 7 {
		by[fmt.Sprint("c", i)] = int64(i + 1)
	}
	if got, want := byCause(28, by), "28 (c6 7, c5 6, c4 5, c3 4, c2 3, c1 2, c0 1)"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	by["c7"] = 1
	if got, want := byCause(29, by), "29 (c6 7, c5 6, c4 5, c3 4, c2 3, c1 2, 2 other causes 2)"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if got := byCause(3, nil); got != "3" {
		t.Errorf("got %s, want 3", got)
	}
}

//go:build nightly && !race

package engines

import (
	"strings"
	"testing"
	"time"
)

// The whole table, one attack after another, with the memory and the time of each.
func TestHostileServersOneByOne(t *testing.T) {
	enough = 8 << 20
	tryAttacks(t, func(t *testing.T, a *attack, try func()) {
		allocated, took := a.measure(t, try)
		_, name, _ := strings.Cut(t.Name(), "/")
		t.Logf("%8.1f KiB %8s  %s", float64(allocated)/1024, took.Round(time.Millisecond), name)
	})
}

func TestConnectionsThatEndAtEachByteLoseNothing(t *testing.T) { cutEverywhere(t, 1) }

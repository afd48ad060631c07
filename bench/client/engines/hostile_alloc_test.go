//go:build !race

package engines

import (
	"cmp"
	"runtime"
	"testing"
	"time"
)

// A hostile server costs a client a bounded memory. Rows that only wait cost none.
func TestAllocationsForHostileServers(t *testing.T) {
	tryAttacks(t, func(t *testing.T, a *attack, try func()) {
		if !a.nightly && a.every == 0 && a.first+a.again != "" {
			a.measure(t, try)
		}
	})
}

// measure tries an attack, and returns what it took.
func (a *attack) measure(t *testing.T, try func()) (allocated uint64, took time.Duration) {
	t.Helper()
	before, began := allocations(), time.Now()
	try()
	allocated, took = allocations()-before, time.Since(began)
	if limit := cmp.Or(a.memory, usual); allocated > limit {
		t.Errorf("%d bytes allocated, want at most %d", allocated, limit)
	}
	return allocated, took
}

func allocations() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.TotalAlloc
}

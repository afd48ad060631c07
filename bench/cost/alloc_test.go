//go:build !race

package cost

import (
	"bytes"
	"fmt"
	"runtime"
	"testing"
)

// The metrics that are not needed cost no memory.
func TestAllocationsOfALargePage(t *testing.T) {
	var text bytes.Buffer
	for i := range 200_000 {
		fmt.Fprintf(&text, "# TYPE metric_%d gauge\nmetric_%d 1\n", i, i)
	}
	text.WriteString(page)
	if text.Len() > mostMetrics {
		t.Fatalf("the page has %d bytes", text.Len())
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	if _, err := parse(&text); err != nil {
		t.Fatal(err)
	}
	runtime.ReadMemStats(&after)
	if got := after.TotalAlloc - before.TotalAlloc; got > 1<<20 {
		t.Errorf("%d bytes allocated", got)
	}
}

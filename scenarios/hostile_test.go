//go:build !race

package scenarios

import (
	"fmt"
	"runtime"
	"strings"
	"testing"
)

// Reading hostile input allocates memory, and so takes time, in proportion to its size: nothing is
// quadratic. The test counts allocated bytes, because the load of the machine does not change them. The
// race detector does.
func TestHostileInputAllocatesInProportion(t *testing.T) {
	const limit = 600 // allocated bytes per byte of input
	for _, unit := range []string{
		"[", "{", "- ", "-\n", "a: ", "a: 1\n", "? ", "!", "&a ", "*a ", "|\n", "'", "\"", "\"\\", "#\n",
		"---\n", "...\n", "%\n", "a:\n- b\n", "[a,", "{a: ", " \n", "\t", "é", "\\", "a:\n a:\n  a:\n", "<<: ", "{}", "[],",
	} {
		for _, size := range []int{maxText, maxBytes} {
			t.Run(fmt.Sprintf("%q/%d", unit, size), func(t *testing.T) {
				text := strings.Repeat(unit, size/len(unit))
				var before, after runtime.MemStats
				runtime.ReadMemStats(&before)
				_, err := Read("hostile.yaml", strings.NewReader(text))
				runtime.ReadMemStats(&after)
				if got := int(after.TotalAlloc-before.TotalAlloc) / size; got > limit {
					t.Errorf("allocated %d bytes per byte, want at most %d", got, limit)
				}
				checkSentence(t, err)
			})
		}
	}
}

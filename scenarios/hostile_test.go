//go:build !race

package scenarios

import (
	"fmt"
	"runtime"
	"strings"
	"testing"
)

// Hostile input of any size that is read at all costs memory in proportion to its size, and so
// time: nothing is quadratic. (Bytes allocated are counted, as a busy machine does not change
// them; the race detector does.)
func TestHostileInputAllocatesInProportion(t *testing.T) {
	const most = 600 // bytes allocated per byte read
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
				if got := int(after.TotalAlloc-before.TotalAlloc) / size; got > most {
					t.Errorf("allocated %d bytes per byte, want at most %d", got, most)
				}
				checkSentence(t, err)
			})
		}
	}
}

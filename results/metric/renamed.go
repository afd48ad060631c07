package metric

import (
	"regexp"
	"strings"
)

// Configuration names hold the values of the axes that a run sweeps, as in "sse batching_delay=5ms".
// Two axes were renamed. Old scenario files, and run folders written before, hold the old names.
var (
	currentAxes = strings.NewReplacer("stack=", "library=", "flush=", "batching_delay=")
	formerAxes  = strings.NewReplacer("library=", "stack=", "batching_delay=", "flush=")

	formerAxis  = regexp.MustCompile(`\b(stack|flush)=[a-z0-9]`)
	currentAxis = regexp.MustCompile(`\b(library|batching_delay)=[a-z0-9]`)
)

// CurrentNames replaces the old axis names in the name of a configuration, or in an assertion, by the new ones.
func CurrentNames(text string) string {
	return formerAxis.ReplaceAllStringFunc(text, currentAxes.Replace)
}

// FormerNames is the inverse of CurrentNames.
func FormerNames(text string) string {
	return currentAxis.ReplaceAllStringFunc(text, formerAxes.Replace)
}

// RenamedAxes lists the old axis names in a text, each as it is written and as CurrentNames writes it.
func RenamedAxes(text string) (all [][2]string) {
	for _, found := range formerAxis.FindAllString(text, -1) {
		former := found[:len(found)-1] // with its equals sign
		all = append(all, [2]string{former, currentAxes.Replace(former)})
	}
	return all
}

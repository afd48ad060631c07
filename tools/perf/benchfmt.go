//go:build linux

package main

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode"
)

// benchmarks renders the findings in the Go benchmark format
// (https://go.dev/design/14313-benchmark-format), a line per measurement, so that
// `benchstat -col /side` compares the sides. A side whose figures decide no bar is left out,
// with the reason.
func benchmarks(a about, found []finding) string {
	b := &strings.Builder{}
	for _, f := range a.facts {
		fmt.Fprintf(b, "# %s: %s\n", f.name, f.value) // a configuration line would keep benchstat from comparing two files
	}
	for _, f := range found {
		unit := strings.NewReplacer(" per ", "/", " at ", "-").Replace(f.row.unit)
		for i, s := range f.sides {
			name := "Benchmark" + oneWord(f.row.name) + "/side=" + oneWord(f.row.sides[i].name)
			if f.ended != "" || !s.decided() {
				fmt.Fprintf(b, "# left out: %s: %s\n", name, cell(cmp.Or(f.ended, s.reason)))
				continue
			}
			for _, pair := range slices.Sorted(maps.Keys(s.values)) {
				fmt.Fprintf(b, "%s 1 %g %s\n", name, s.values[pair], unit)
			}
		}
	}
	return b.String()
}

// oneWord makes text a part of a benchmark's name, which has neither spaces nor slashes, and
// whose last hyphen would begin a number of cores.
func oneWord(text string) string {
	return strings.Join(strings.FieldsFunc(text, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) }), "_")
}

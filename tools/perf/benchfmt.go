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
// (https://go.dev/design/14313-benchmark-format), one line per measurement, so that
// `benchstat -col /side` compares the sides. It omits a side whose values decide no bar and
// gives the reason.
func benchmarks(a about, found []finding) string {
	b := &strings.Builder{}
	for _, f := range a.properties {
		fmt.Fprintf(b, "# %s: %s\n", f.name, f.value) // a configuration line would prevent benchstat from comparing two files
	}
	named := map[string]bool{}
	for _, f := range found {
		unit := strings.NewReplacer(" per ", "/", " at ", "-").Replace(f.row.unit)
		if !named[unit] { // each row is a cost
			fmt.Fprintf(b, "Unit %s better=lower\n", unit)
			named[unit] = true
		}
		for i, s := range f.sides {
			name := "Benchmark" + oneWord(f.row.name) + "/side=" + oneWord(f.row.sides[i].name)
			if f.ended != "" || !s.decided() {
				fmt.Fprintf(b, "# omitted: %s: %s\n", name, cell(cmp.Or(f.ended, s.reason)))
				continue
			}
			for _, pair := range slices.Sorted(maps.Keys(s.values)) {
				fmt.Fprintf(b, "%s 1 %g %s\n", name, s.values[pair], unit)
			}
		}
	}
	return b.String()
}

// oneWord converts text to a part of a benchmark name, which contains neither spaces nor
// slashes, and whose last hyphen precedes the number of cores.
func oneWord(text string) string {
	return strings.Join(strings.FieldsFunc(text, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) }), "_")
}

// Command testtimes summarizes test runs: the time per package, the 10 slowest tests and the notes
// of the end-to-end tests about their measured runs. Its arguments are files of `go test -json`
// events (gotestsum --jsonfile), in the order in which they were written.
package main

import (
	"bufio"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
)

func main() {
	if err := run(os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "testtimes:", err)
		os.Exit(1)
	}
}

func run(files []string, out io.Writer) error {
	var s summary
	for _, name := range files {
		f, err := os.Open(name)
		if err != nil {
			return err
		}
		err = s.read(f)
		f.Close()
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return s.write(out)
}

// An event is a line of go test -json: see go doc test2json.
type event struct {
	Action, Package, Test, Output string
	Elapsed                       float64 // s
}

// A timing is the time of a package or a test.
type timing struct {
	name    string
	seconds float64
}

type summary struct {
	packages, tests []timing
	failed          int
	notes           []string // lines of packages, not tests, about measured runs
}

// read adds the events of one file.
func (s *summary) read(from io.Reader) error {
	lines := bufio.NewScanner(from)
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		var e event
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
			return err
		}
		s.add(e)
	}
	return lines.Err()
}

func (s *summary) add(e event) {
	name := strings.TrimPrefix(e.Package, "pushbench/")
	switch {
	case e.Action == "output" && e.Test == "" && isNote(e.Output):
		s.notes = append(s.notes, strings.TrimSuffix(e.Output, "\n"))
	case e.Action != "pass" && e.Action != "fail":
	case e.Test == "":
		s.packages = append(s.packages, timing{name, e.Elapsed})
	case !strings.Contains(e.Test, "/"): // the time of a test includes its subtests
		s.tests = append(s.tests, timing{name + " " + e.Test, e.Elapsed})
		if e.Action == "fail" {
			s.failed++
		}
	}
}

// isNote reports whether a line of output is from TestMain of package endtoend.
func isNote(text string) bool {
	return strings.HasPrefix(text, "measured: ") || strings.HasPrefix(text, "forgiven: ")
}

// minListed is the shortest time of a listed package, in seconds.
const minListed = 1

func (s *summary) write(out io.Writer) error {
	var b strings.Builder
	longestFirst := func(a, b timing) int { return cmp.Compare(b.seconds, a.seconds) }
	slices.SortStableFunc(s.packages, longestFirst)
	slices.SortStableFunc(s.tests, longestFirst)
	b.WriteString("\ntime per package (1 s or more; packages run in parallel)\n")
	for _, p := range s.packages {
		if p.seconds >= minListed {
			fmt.Fprintf(&b, "%8.1f s  %s\n", p.seconds, p.name)
		}
	}
	b.WriteString("10 slowest tests\n")
	for _, t := range s.tests[:min(10, len(s.tests))] {
		fmt.Fprintf(&b, "%8.1f s  %s\n", t.seconds, t.name)
	}
	for _, note := range s.notes {
		b.WriteString(note + "\n")
	}
	fmt.Fprintf(&b, "%d passed, %d failed\n", len(s.tests)-s.failed, s.failed)
	_, err := io.WriteString(out, b.String())
	return err
}

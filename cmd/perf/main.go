//go:build linux

// Command perf measures what pushbench's servers and generator cost beside others that
// do the same work, and beside floors: programs that make only the system calls
// which nobody can do without. Sides are interleaved in one run, at the same offered
// load, and compared as ratios; see results/reference/perf.md.
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

func main() {
	if len(os.Args) > 1 && os.Args[1] == floorRole {
		exit(serveFloor())
	}
	pairs := flag.Int("pairs", 5, "how often each side of a row is measured")
	only := flag.String("only", ".", "rows whose names match this regular expression")
	out := flag.String("out", "", "write the table to this file as well")
	command := flag.String("pushbench", "bin/pushbench", "the command to measure")
	flag.Parse()
	exit(measure(*pairs, *only, *out, *command))
}

func exit(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "perf:", err)
		os.Exit(1)
	}
	os.Exit(0)
}

// The servers have a core of their own, and whoever makes load the other.
const (
	serverCore = 0
	loadCore   = 1
)

func measure(pairs int, only, out, command string) error {
	which, err := regexp.Compile(only)
	if err != nil {
		return err
	}
	if runtime.NumCPU() < 2 {
		return fmt.Errorf("a server and its load need a core each, and there is %d", runtime.NumCPU())
	}
	command, err = filepath.Abs(command)
	if err != nil {
		return err
	}
	keeper, err := start(anyCore, command, "awake")
	if err != nil {
		return err
	}
	defer keeper.end()
	table := &strings.Builder{}
	describe(table)
	for _, row := range rows(command) {
		if !which.MatchString(row.name) {
			continue
		}
		fmt.Fprintf(os.Stderr, "%s %s\n", time.Now().Format(time.TimeOnly), row.name)
		if err := row.measure(table, pairs); err != nil {
			return fmt.Errorf("%s: %w", row.name, err)
		}
	}
	fmt.Print(table)
	if out == "" {
		return nil
	}
	return os.WriteFile(out, []byte(table.String()), 0o644)
}

// describe says what was measured on, and how to read it.
func describe(b *strings.Builder) {
	var name unix.Utsname
	_ = unix.Uname(&name) // it fails only for a bad address
	fmt.Fprintf(b, "# What it costs beside others\n\n")
	fmt.Fprintf(b, "Measured by `make perf` on %s: Linux %s, %d cores, %s, on %s.\n", cpuModel(), unix.ByteSliceToString(name.Release[:]), runtime.NumCPU(), runtime.Version(), time.Now().UTC().Format(time.DateOnly))
	fmt.Fprintf(b, "Medians of the runs, with the least and the most; the sides of a row took turns, at the same offered load.\n")
	fmt.Fprintf(b, "The ratio is of ours to the other in the same turn.\n")
}

func cpuModel() string {
	text, _ := os.ReadFile("/proc/cpuinfo") // without it there is no model to name
	for line := range strings.Lines(string(text)) {
		if name, value, found := strings.Cut(line, ":"); found && strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return "an unnamed processor"
}

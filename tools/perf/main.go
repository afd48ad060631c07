//go:build linux

// Command perf compares the cost of pushbench's servers and generator with other tools
// that do the same work, and with floors: programs that make only the system calls that
// no server can do without. See results/reference/perf.md.
//
// A row is one comparison. Its sides take turns at the same offered load, and are
// compared as ratios; one turn of every side is a pair.
//
// # Failures
//
// A side fails when it does not reach the load, is not installed, does not start, exceeds
// the time limit, or when its output cannot be read. The table then gives the reason, and
// the other sides and rows are measured as usual. A side that fails is tried again in the
// next pair; after the second failure it is left out of the rest of its row.
//
// # Bars
//
// A bar is the highest cost that pushbench may have: a ratio to another side, or a figure
// of its own. It is met or missed by the median of the pairs, as printed. It is not
// measured when one of its two sides failed twice or has no figure, and when the row was
// interrupted. The last line of the table counts the bars.
//
// # Output
//
// The table goes to standard output when perf ends. With -out it also replaces perf.md in a
// folder, and perf.txt, which holds every measurement in the Go benchmark format: `benchstat
// -col /side perf.txt`. Each file is replaced whole after each row and at the end, however
// perf ends: Ctrl-C and SIGTERM stop the row under way and keep what it has measured.
// Progress goes to standard error.
//
// # Exit codes
//
//	0  every row has its figure of pushbench; bars may be met or missed
//	1  a row has no figure of pushbench, or nothing could be measured or written
//	2  usage
//	6  interrupted; the table holds what was measured
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"

	"golang.org/x/sys/unix"
)

func main() {
	os.Exit(run(context.Background(), os.Args[1:], os.Stdout, os.Stderr))
}

// Exit codes, as pushbench has them.
const (
	exitOK          = 0
	exitFailed      = 1
	exitUsage       = 2
	exitInterrupted = 6
)

// run is the whole command: arguments in, exit code out.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	if len(args) == 1 && args[0] == floorRole {
		return report(stderr, exitFailed, serveFloor(os.Stdin, stdout))
	}
	o, err := parse(args, stdout)
	if errors.Is(err, flag.ErrHelp) {
		return exitOK
	}
	if err != nil {
		return report(stderr, exitUsage, err)
	}
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, unix.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second signal ends the process
	about, err := describe(ctx, o.command, o.pairs)
	if ctx.Err() != nil {
		return report(stderr, exitInterrupted, errors.New("interrupted before the first row"))
	}
	if err != nil {
		return report(stderr, exitFailed, err)
	}
	c := campaign{about: about, rows: o.rows, pairs: o.pairs, out: o.out, keepAwake: keepAwake(o.command), stdout: stdout, stderr: stderr}
	return c.run(ctx)
}

// report prints an error, if there is one, and returns the exit code.
func report(stderr io.Writer, code int, err error) int {
	if err == nil {
		return exitOK
	}
	fmt.Fprintln(stderr, "perf:", err)
	return code
}

// options are the command line, checked.
type options struct {
	pairs   int
	rows    []row
	out     string
	command string
}

// parse reads the command line. Help goes to stdout; errors are the caller's to print.
func parse(args []string, stdout io.Writer) (o options, err error) {
	flags := flag.NewFlagSet("perf", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	only := "."
	flags.IntVar(&o.pairs, "pairs", 5, "how often each side of a row is measured: 1 or more")
	flags.StringVar(&only, "only", only, "rows whose names match this regular expression")
	flags.StringVar(&o.out, "out", "", "write perf.md and perf.txt to this folder as well, after each row")
	flags.StringVar(&o.command, "pushbench", filepath.Join("bin", "pushbench"), "the command to measure")
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			fmt.Fprintln(stdout, "Usage: perf [flags]")
			flags.SetOutput(stdout)
			flags.PrintDefaults()
		}
		return o, err
	}
	if flags.NArg() > 0 {
		return o, fmt.Errorf("perf takes no arguments, got %q", flags.Arg(0))
	}
	which, err := regexp.Compile(only)
	if err != nil {
		return o, fmt.Errorf("-only: %w", err)
	}
	o.rows = slices.DeleteFunc(rows(o.command), func(r row) bool { return !which.MatchString(r.name) })
	return o, o.check(only)
}

// check finds what would otherwise fail only after the first row.
func (o options) check(only string) error {
	if o.pairs < 1 {
		return fmt.Errorf("-pairs: %d is not allowed; allowed: 1 or more", o.pairs)
	}
	if len(o.rows) == 0 {
		return fmt.Errorf("-only: no row has a name that matches %q", only)
	}
	if info, err := os.Stat(o.out); o.out != "" && (err != nil || !info.IsDir()) {
		return fmt.Errorf("-out: %s is not a folder", o.out)
	}
	if runtime.NumCPU() < 2 {
		return fmt.Errorf("perf needs 2 cores, one for the server and one for its load; this machine has %d", runtime.NumCPU())
	}
	return nil
}

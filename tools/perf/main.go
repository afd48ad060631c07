//go:build linux

// Command perf compares the cost of pushbench's servers and generator with other tools
// that do the same work, and with floors: programs that make only the system calls that
// every server requires. See results/reference/perf.md.
//
// A row is one comparison. Its sides are measured alternately at the same offered load, and
// are compared as ratios. One measurement of every side is a pair. nchan is measured in runs of
// pushbench over its target file, with the same clients as pushbench's server.
//
// # Failures
//
// A side fails when it does not reach the load, is not installed, does not start, exceeds
// the time limit, or when its output cannot be read. The table then gives the reason, and
// the other sides and rows are measured as usual. A side that fails is retried in the next
// pair; after the second failure the rest of its row omits it.
//
// # Bars
//
// A bar is the highest allowed cost of pushbench: a ratio to another side, or an absolute
// value. The median of the pairs, as printed, meets or misses it. A bar is not measured if
// one of its two sides failed twice or has no value, or if the row was interrupted. The last line of the table counts the bars.
//
// # Output
//
// The table goes to standard output when perf ends. With -out it also replaces perf.md in a
// folder, and perf.txt, which contains every measurement in the Go benchmark format: `benchstat
// -col /side perf.txt`. Each file is replaced atomically after each row and at the end. Ctrl-C,
// SIGTERM and SIGHUP stop the current row and keep its measurements.
// Progress goes to standard error.
//
// # Exit codes
//
//	0  every row has a value of pushbench; bars may be met or missed
//	1  a row has no value of pushbench, or nothing could be measured or written
//	2  usage
//	6  interrupted; the table contains the measurements so far
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

// Exit codes, the same as those of pushbench.
const (
	exitOK          = 0
	exitFailed      = 1
	exitUsage       = 2
	exitInterrupted = 6
)

// run executes the command and returns its exit code.
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
	signals := []os.Signal{os.Interrupt, unix.SIGTERM}
	if !signal.Ignored(unix.SIGHUP) { // as under nohup
		signals = append(signals, unix.SIGHUP)
	}
	ctx, stop := signal.NotifyContext(ctx, signals...)
	defer stop()
	context.AfterFunc(ctx, func() {
		signal.Ignore(unix.SIGHUP) // of a closed terminal both the shell and the kernel send one
		stop()                     // another signal ends the process
	})
	about, err := describe(ctx, o.command, o.pairs)
	if ctx.Err() != nil {
		return report(stderr, exitInterrupted, errors.New("interrupted before the first row"))
	}
	if err != nil {
		return report(stderr, exitFailed, err)
	}
	c := campaign{about: about, rows: o.rows, pairs: o.pairs, out: o.out, preventIdle: preventIdle(o.command), stdout: stdout, stderr: stderr}
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

// options are the validated command line.
type options struct {
	pairs   int
	rows    []row
	out     string
	command string
}

// parse parses the command line. It prints help to stdout; the caller prints errors.
func parse(args []string, stdout io.Writer) (o options, err error) {
	flags := flag.NewFlagSet("perf", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	only := "."
	flags.IntVar(&o.pairs, "pairs", 5, "measurements of each side of a row: 1 or more")
	flags.StringVar(&only, "only", only, "measure only rows whose names match this regular expression")
	flags.StringVar(&o.out, "out", "", "folder for perf.md and perf.txt, written after each row (default: none)")
	flags.StringVar(&o.command, "pushbench", filepath.Join("bin", "pushbench"), "command to measure")
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

// check detects errors that would otherwise occur only after the first row.
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

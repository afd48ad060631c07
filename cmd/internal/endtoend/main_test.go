package endtoend

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"pushbench/bench/validity"
	"pushbench/results"
)

// Exit codes as in docs/cli.md: literal numbers, so that a change is detected.
const (
	exitOK           = 0
	exitInternal     = 1
	exitUsage        = 2
	exitInvalid      = 3
	exitFailed       = 4
	exitRefused      = 5
	exitInterrupted  = 6
	exitInconclusive = 8
)

// pushbench is the path of the command that all tests start.
var pushbench string

func TestMain(m *testing.M) { os.Exit(run(m)) }

// run builds the command, unless PUSHBENCH names one, such as one built
// for coverage. It is built without the race detector, which has other tests, in process.
func run(m *testing.M) int {
	if err := os.Setenv("PUSHBENCH_LOCK", os.TempDir()); err != nil { // independent of measurements on this machine
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	if pushbench = os.Getenv("PUSHBENCH"); pushbench == "" {
		dir, err := os.MkdirTemp("", "pushbench-endtoend-")
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		defer os.RemoveAll(dir)
		pushbench = filepath.Join(dir, "pushbench")
		if out, err := exec.Command("go", "build", "-o", pushbench, "pushbench/cmd/pushbench").CombinedOutput(); err != nil {
			fmt.Fprintf(os.Stderr, "build the command: %v\n%s", err, out)
			return 1
		}
	}
	code := m.Run()
	fmt.Print(account.String())
	if err := account.tooManyForgiven(); err != nil && os.Getenv("PUSHBENCH_QUIET_MACHINE") != "" {
		fmt.Fprintln(os.Stderr, err)
		return max(1, code)
	}
	return code
}

// A tally counts the measured runs, and lists those that were INVALID only because the
// machine was busy and are forgiven.
type tally struct {
	mu       sync.Mutex // guards what follows
	measured int
	forgiven []string
}

var account tally

func (a *tally) valid() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.measured++
}

func (a *tally) forgive(test, reason string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.measured++
	a.forgiven = append(a.forgiven, test+": "+reason)
}

// String returns the summary at the end of make test.
func (a *tally) String() string {
	a.mu.Lock()
	defer a.mu.Unlock()
	var b strings.Builder
	fmt.Fprintf(&b, "measured: %d runs, %d INVALID and forgiven\n", a.measured, len(a.forgiven))
	for _, f := range a.forgiven {
		fmt.Fprintf(&b, "forgiven: %s\n", f)
	}
	return b.String()
}

// tooManyForgiven returns an error if more than a third of the runs are INVALID, which is a
// defect on a machine that is known to be quiet.
func (a *tally) tooManyForgiven() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if 3*len(a.forgiven) > a.measured {
		return fmt.Errorf("%d of %d runs were INVALID on a quiet machine, more than a third", len(a.forgiven), a.measured)
	}
	return nil
}

// settle checks the exit code of a measuring command: the wanted code, or exit code 3 if
// only a disturbance of the machine invalidated the run in folder. It reports whether
// the run is valid.
func settle(test string, code, want int, folder string) (valid bool, err error) {
	switch {
	case code == want:
		account.valid()
		return true, nil
	case code != exitInvalid:
		return false, fmt.Errorf("exit code %d, want %d", code, want)
	}
	reason, err := disturbance(folder)
	if err != nil {
		return false, err
	}
	account.forgive(test, reason)
	return false, nil
}

// disturbance returns why the run in folder is INVALID, and an error if there is another cause than
// the machine.
func disturbance(folder string) (reason string, err error) {
	run, err := results.Open(folder)
	if err != nil {
		return "", err
	}
	if err := onlyDisturbed(run.Trials); err != nil {
		return "", fmt.Errorf("%s: %w", folder, err)
	}
	return run.Manifest.Reason, nil
}

// onlyDisturbed returns an error for a trial that is invalid for another reason than a disturbance
// of the machine.
func onlyDisturbed(trials []results.Trial) error {
	for _, t := range trials {
		if !t.Valid() && !validity.RetryableTrial(t) {
			return fmt.Errorf("%s is %s: %s", t.Name(), t.Status, t.Reason)
		}
	}
	return nil
}

// codeOf returns a program's exit code: -1 if a signal ended it or it did not start.
func codeOf(err error) int {
	var exit *exec.ExitError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &exit):
		return exit.ExitCode()
	default:
		return -1
	}
}

func copyFile(t *testing.T, from, to string, mode os.FileMode) {
	t.Helper()
	in, err := os.Open(from)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_CREATE|os.O_WRONLY, mode)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(out, in); err != nil {
		t.Fatal(err)
	}
	if err := out.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestForgivenRunsAreCounted(t *testing.T) {
	var a tally
	a.valid()
	a.valid()
	a.forgive("one", "late")
	if err := a.tooManyForgiven(); err != nil {
		t.Errorf("one of three: %v, want no error", err)
	}
	a.forgive("two", "later")
	if err := a.tooManyForgiven(); err == nil {
		t.Error("two of four: no error, want one")
	}
	if got, want := a.String(), "measured: 4 runs, 2 INVALID and forgiven\nforgiven: one: late\nforgiven: two: later\n"; got != want {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

// Only exit code 3 may be forgiven.
func TestOtherExitCodesAreNotForgiven(t *testing.T) {
	for _, code := range []int{exitUsage, exitFailed, exitInterrupted, exitInconclusive} {
		if _, err := settle("test", code, exitOK, ""); err == nil {
			t.Errorf("exit code %d for 0: no error", code)
		}
	}
}

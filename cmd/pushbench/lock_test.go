package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"pushbench/cmd/internal/app"
)

// While a command measures, every other measuring command ends immediately and writes nothing. Its
// error has the exit code of an invalid measurement, the lock's path and the remedy.
func TestBusyLockIsAnInvalidMeasurement(t *testing.T) {
	folder := t.TempDir()
	t.Setenv("PUSHBENCH_LOCK", folder) // independent of measurements on this machine
	err := app.Env{}.InSession(t.Context(), func(*app.Session) error {
		refusedWhileBusy(t, folder)
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

// refusedWhileBusy runs every command that measures.
func refusedWhileBusy(t *testing.T, path string) {
	scenario, out := filepath.Join("..", "internal", "app", "testdata", "small.yaml"), filepath.Join(t.TempDir(), "out")
	for _, args := range [][]string{
		{"run", scenario, "--out", out},
		{"check", "../../results/reference/chat", "--out", out},
		{"capacity", scenario, "--require", "p(99) < 1s", "--out", out},
		{"crossover", scenario, "--out", out},
		{"selftest"},
		{"doctor"},
	} {
		var stdout, stderr bytes.Buffer
		code := run(t.Context(), args, strings.NewReader(""), &stdout, &stderr)
		if text := stderr.String(); code != int(app.Invalid) || !strings.Contains(text, "wait for it to end (lock: folder "+path+")") {
			t.Errorf("%s: exit code %d, want %d; stderr: %s", args[0], code, int(app.Invalid), text)
		}
		if _, err := os.Stat(out); err == nil || stdout.Len() > 0 {
			t.Errorf("%s wrote something: %s", args[0], &stdout)
		}
	}
}

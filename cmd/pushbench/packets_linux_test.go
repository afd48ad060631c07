package main

import (
	"bytes"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"pushbench/results"
)

// Whoever may make a user namespace needs no root for a link of packets.
func TestOrdinaryUsersHavePacketsAsRoot(t *testing.T) {
	const nobody = 65534
	dir, err := os.MkdirTemp("", "pushbench-ordinary-") // t.TempDir's parents are root's alone
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	program := filepath.Join(dir, "pushbench") // by this name the test binary is the command: see TestMain
	copyFile(t, itself(t), program, 0o755)
	scenario := filepath.Join(dir, "far.yaml")
	if err := os.WriteFile(scenario, []byte(farYAML), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	command := exec.Command(program, "run", scenario, "--out", filepath.Join(dir, "run"))
	var said bytes.Buffer
	command.Stdout, command.Stderr = &said, &said
	command.Env = append(os.Environ(), "TMPDIR="+dir)
	command.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	if err := command.Run(); err != nil && command.ProcessState.ExitCode() != exitInvalid {
		t.Fatalf("%v: %s", err, said.String())
	}
	run, err := results.Open(filepath.Join(dir, "run"))
	if err != nil {
		t.Fatalf("%v: %s", err, said.String())
	}
	for _, trial := range run.Trials {
		if trial.Link == nil || trial.Link.Up.Packets == 0 || trial.Ledger.Lost != 0 || trial.Ledger.Unique != 40 {
			t.Errorf("%s: link %+v, ledger %+v", trial.Name(), trial.Link, trial.Ledger)
		}
	}
	if len(run.Trials) == 0 || !strings.Contains(said.String(), "websocket") {
		t.Errorf("%d trials: %s", len(run.Trials), said.String())
	}
}

// farYAML is a scenario that takes a second.
const farYAML = `version: 1
name: far
transports: [websocket]
clients:
  count: 2
publish:
  by: backend
  rate: 20/s
  arrivals: periodic
payload:
  size: 64B
network:
  link: packets
  nat: true # which takes all that a link does, and more
  rtt: 20ms
idle: 10ms
warmup: 0s
window: 1s
drain: 1s
blocks: 1
`

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

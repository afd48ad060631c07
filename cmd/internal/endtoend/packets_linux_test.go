package endtoend

import (
	"bytes"
	"fmt"
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
	dir, err := os.MkdirTemp("", "pushbench-ordinary-") // t.TempDir's parents are root's alone
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	program := filepath.Join(dir, "pushbench")
	copyFile(t, pushbench, program, 0o755)
	scenario := filepath.Join(dir, "far.yaml")
	if err := os.WriteFile(scenario, []byte(farYAML), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	command := asNobody(t, dir, program, "run", scenario, "--quick", "--out", filepath.Join(dir, "run"))
	var said bytes.Buffer
	command.Stdout, command.Stderr = &said, &said
	command.Env = append(os.Environ(), "TMPDIR="+dir)
	folder := filepath.Join(dir, "run")
	if _, err := settle(t.Name(), codeOf(command.Run()), exitOK, folder); err != nil {
		t.Fatalf("%v: %s", err, said.String())
	}
	run, err := results.Open(folder)
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

// asNobody is a command of a user without any right. Where the system keeps the TUN device
// to itself, as some containers do, it is given back to all, in a mount namespace of the command's own.
func asNobody(t *testing.T, dir string, argv ...string) *exec.Cmd {
	t.Helper()
	const nobody, device = 65534, "/dev/net/tun"
	node, err := os.Stat(device)
	if err != nil {
		t.Fatal(err)
	}
	if node.Mode().Perm()&0o6 == 0o6 {
		command := exec.Command(argv[0], argv[1:]...)
		command.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
		return command
	}
	devices := filepath.Join(dir, "devices")
	if err := os.Mkdir(devices, 0o755); err != nil {
		t.Fatal(err)
	}
	script := fmt.Sprintf(`mount -t tmpfs tmpfs "$0" && mknod "$0/tun" c 10 200 && chmod 666 "$0/tun" && mount --bind "$0/tun" %s &&
exec setpriv --reuid %d --regid %[2]d --clear-groups "$@"`, device, nobody)
	return exec.Command("unshare", append([]string{"--mount", "--propagation", "private", "sh", "-c", script, devices}, argv...)...)
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
repetitions: 1
`

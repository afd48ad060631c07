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

// A user who can create a user namespace does not need root for a packet link.
func TestOrdinaryUserRunsPacketLinkAsRoot(t *testing.T) {
	dir, err := os.MkdirTemp("", "pushbench-ordinary-") // only root can access t.TempDir's parents
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
	command := asUnprivileged(t, dir, program, "run", scenario, "--quick", "--out", filepath.Join(dir, "run"))
	var output bytes.Buffer
	command.Stdout, command.Stderr = &output, &output
	command.Env = append(os.Environ(), "PUSHBENCH_LOCK="+dir)
	folder := filepath.Join(dir, "run")
	if _, err := settle(t.Name(), codeOf(command.Run()), exitOK, folder); err != nil {
		t.Fatalf("%v: %s", err, output.String())
	}
	run, err := results.Open(folder)
	if err != nil {
		t.Fatalf("%v: %s", err, output.String())
	}
	for _, trial := range run.Trials {
		if trial.Link == nil || trial.Link.Up.Packets == 0 || trial.Ledger.Lost != 0 || trial.Ledger.Delivered != 40 {
			t.Errorf("%s: link %+v, ledger %+v", trial.Name(), trial.Link, trial.Ledger)
		}
	}
	if len(run.Trials) == 0 || !strings.Contains(output.String(), "websocket") {
		t.Errorf("%d trials: %s", len(run.Trials), output.String())
	}
}

// asUnprivileged returns a command that runs as an unprivileged user. If the system restricts the TUN
// device to root, as some containers do, a new mount namespace gives all users access to it.
func asUnprivileged(t *testing.T, dir string, argv ...string) *exec.Cmd {
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

// farYAML is a scenario that takes one second.
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
  nat: true # uses all features of a link, and more
  rtt: 20ms
idle: 10ms
warmup: 0s
window: 1s
drain: 1s
repetitions: 1
`

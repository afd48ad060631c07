package endtoend

import (
	"bytes"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"pushbench/results"
)

// A server in another network namespace is another host: load goes there only if the user and the host allow it.
func TestOtherHostNeedsConsentAsRoot(t *testing.T) {
	link := newLink(t)
	defer link.close(t)
	dir := t.TempDir()
	t.Setenv("XDG_CONFIG_HOME", dir)
	service := filepath.Join(dir, "goservice")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", service, "pushbench/servers/foreign/goservice").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	host := link.farPrefix.Addr().String()
	address := net.JoinHostPort(host, "8080")
	file := remoteFile(t, dir, address)

	out := refusedBy(t, "verify", file)
	token := regexp.MustCompile(`[0-9a-f]{64}`).FindString(out)
	if token == "" || !strings.Contains(out, host+" is another host; if its owner agrees, add --allow-host "+host) {
		t.Fatalf("without the user's consent: %s", out)
	}
	stop := serveThere(t, link, service, address, "not the token")
	out = refusedBy(t, "verify", file, "--allow-host", host)
	if !strings.Contains(out, address+" does not allow load: GET /.well-known/pushbench returned 13 bytes without the token; allowed: status 200 and the token "+token) {
		t.Errorf("without the host's consent: %s", out)
	}
	stop()

	defer serveThere(t, link, service, address, token)()
	folder := filepath.Join(dir, "run")
	c := exec.CommandContext(t.Context(), pushbench, "run", filepath.Join(dir, "echo.yaml"), "--target", file, "--allow-host", host, "--quick", "--out", folder)
	text, _ := c.CombinedOutput()
	valid, err := settle(t.Name(), c.ProcessState.ExitCode(), exitOK, folder)
	if err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	if !bytes.Contains(text, []byte("other: load goes to "+host+" ("+address+"), which allows it, up to 2,000 connections, ")) {
		t.Errorf("the run does not state the limits: %s", text)
	}
	run, err := results.Open(folder)
	if err != nil {
		t.Fatal(err)
	}
	if got := run.Manifest.Network; got != results.OtherHost {
		t.Errorf("network %q, want %q", got, results.OtherHost)
	}
	if trial := run.Trials[0]; valid && (trial.Ledger.Expected == 0 || trial.Ledger.Delivered != trial.Ledger.Expected) {
		t.Errorf("delivered %d of %d messages", trial.Ledger.Delivered, trial.Ledger.Expected)
	}
}

// remoteFile writes a target file of goservice at an address, and a scenario for it.
func remoteFile(t *testing.T, dir, address string) string {
	t.Helper()
	file := filepath.Join(dir, "other.yaml")
	for path, text := range map[string]string{
		file: `version: 1
name: other
url: http://` + address + `
transports:
  websocket:
    path: /chat
    steps:
    - send: '{"type":"join","room":"{topic}"}'
    - expect: '"type":"joined"'
publish:
  frame: '{"type":"say","room":"{topic}","text":"{payload}","id":{id}}'
  ack: '"type":"said"'
`,
		filepath.Join(dir, "echo.yaml"): `version: 1
name: echo
description: one topic
question: does it work?
transports: [websocket]
clients: {count: 10}
publish: {by: clients, rate: 50/s}
payload: {size: 64B}
idle: 0s
warmup: 300ms
window: 1s
drain: 1s
repetitions: 1
`,
	} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return file
}

// refusedBy returns what a command prints, which must exit with the code of a refused target.
func refusedBy(t *testing.T, arguments ...string) string {
	t.Helper()
	c := exec.CommandContext(t.Context(), pushbench, arguments...)
	out, _ := c.CombinedOutput()
	if got := c.ProcessState.ExitCode(); got != exitRefused {
		t.Errorf("%v: exit code %d, want %d: %s", arguments, got, exitRefused, out)
	}
	return string(out)
}

// serveThere starts the service on the far side of a link, and returns when it accepts connections.
func serveThere(t *testing.T, link *link, service, address, token string) (stop func()) {
	t.Helper()
	c := exec.Command(service, address)
	c.Env = append(os.Environ(), "PUSHBENCH_TOKEN="+token)
	if err := link.path.Far.Inside(c.Start); err != nil {
		t.Fatal(err)
	}
	stop = func() {
		_ = c.Process.Kill()
		_ = c.Wait() // it was killed
	}
	for deadline := time.Now().Add(10 * time.Second); ; {
		conn, err := net.DialTimeout("tcp", address, time.Second)
		if err == nil {
			conn.Close()
			return stop
		}
		if time.Now().After(deadline) {
			stop()
			t.Fatal(err)
		}
		time.Sleep(10 * time.Millisecond)
	}
}

package endtoend

import (
	"bufio"
	"bytes"
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"net"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"pushbench/results"
	"pushbench/results/metric"
	"pushbench/results/summary"
)

// A server in another network namespace is another host: load goes there only if the user and the host allow it.
func TestOtherHostNeedsConsentAsRoot(t *testing.T) {
	link := newLink(t)
	defer link.close(t)
	dir := t.TempDir()
	t.Setenv("XDG_CONFIG_HOME", dir)
	service := buildService(t, dir)
	host := link.farPrefix.Addr().String()
	address := net.JoinHostPort(host, "8080")
	file := runningFile(t, dir, "other", address, "")

	out := refusedBy(t, "verify", file)
	token := regexp.MustCompile(`[0-9a-f]{64}`).FindString(out)
	if token == "" || !strings.Contains(out, host+" is another host; if its owner agrees, add --allow-host "+host) {
		t.Fatalf("without the user's consent: %s", out)
	}
	_, stop := serviceAt(t, link.path.Far.Inside, service, address, "not the token")
	out = refusedBy(t, "verify", file, "--allow-host", host)
	if !strings.Contains(out, address+" does not allow load: GET /.well-known/pushbench returned 13 bytes without the token; allowed: status 200 and the token "+token) {
		t.Errorf("without the host's consent: %s", out)
	}
	stop()

	_, stop = serviceAt(t, link.path.Far.Inside, service, address, token)
	defer stop()
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
	trial := run.Trials[0]
	if valid && (trial.Ledger.Expected == 0 || trial.Ledger.Delivered != trial.Ledger.Expected) {
		t.Errorf("delivered %d of %d messages", trial.Ledger.Delivered, trial.Ledger.Expected)
	}
	if v := summary.Measure(metric.ServerCPUPerMessage, trial); v.Known != summary.NotShown { // the file does not say where it is read
		t.Errorf("server CPU per message %v, want none", v)
	}
}

// runningFile writes a target file of goservice at an address, and a scenario for it.
func runningFile(t *testing.T, dir, name, address, cost string) string {
	t.Helper()
	file := filepath.Join(dir, name+".yaml")
	for path, text := range map[string]string{
		file: `version: 1
name: ` + name + `
url: http://` + address + `
` + cost + `
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
warmup: 100ms
window: 500ms
drain: 500ms
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

// buildService builds the example service.
func buildService(t *testing.T, dir string) (path string) {
	t.Helper()
	path = filepath.Join(dir, "goservice")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", path, "pushbench/servers/foreign/goservice").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return path
}

// serviceAt starts the service, in the namespace of inside, and returns when it accepts connections.
func serviceAt(t *testing.T, inside func(func() error) error, service, address, token string) (pid int, stop func()) {
	t.Helper()
	c := exec.Command(service, address)
	c.Env = append(os.Environ(), "PUSHBENCH_TOKEN="+token)
	log, err := c.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := inside(c.Start); err != nil {
		t.Fatal(err)
	}
	stop = func() {
		_ = c.Process.Kill()
		_ = c.Wait() // it was killed
	}
	if line, err := bufio.NewReader(log).ReadString('\n'); err != nil || !strings.Contains(line, "listening") {
		stop()
		t.Fatalf("the service prints %q: %v", line, err)
	}
	return c.Process.Pid, stop
}

// securedFile writes a target file of the service behind a proxy with TLS.
func securedFile(t *testing.T, dir, address, cost string) string {
	t.Helper()
	proxy := httptest.NewUnstartedServer(httputil.NewSingleHostReverseProxy(&url.URL{Scheme: "http", Host: address}))
	proxy.Config.ErrorLog = log.New(io.Discard, "", 0) // connections without a handshake
	proxy.StartTLS()
	t.Cleanup(proxy.Close)
	authority := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: proxy.Certificate().Raw})
	if err := os.WriteFile(filepath.Join(dir, "ca.pem"), authority, 0o600); err != nil {
		t.Fatal(err)
	}
	file := runningFile(t, dir, "secured", proxy.Listener.Addr().String(), "ca: ca.pem\n"+cost)
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, bytes.Replace(text, []byte("http:"), []byte("https:"), 1), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// A running server with TLS is measured like others, and its process is billed if the target file names it.
func TestRunningServerIsBilled(t *testing.T) {
	dir := t.TempDir()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	l.Close()
	pid, stop := serviceAt(t, func(start func() error) error { return start() }, buildService(t, dir), address, "")
	defer stop()
	file := securedFile(t, dir, address, fmt.Sprintf("cost: {pid: %d}", pid))
	folder := filepath.Join(dir, "run")
	c := exec.CommandContext(t.Context(), pushbench, "run", filepath.Join(dir, "echo.yaml"), "--target", file, "--quick", "--out", folder)
	out, _ := c.CombinedOutput()
	valid, err := settle(t.Name(), c.ProcessState.ExitCode(), exitOK, folder)
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	run, err := results.Open(folder)
	if err != nil {
		t.Fatal(err)
	}
	trial := run.Trials[0]
	if v := summary.Measure(metric.ServerCPUPerMessage, trial); v.Known != summary.Shown || trial.Cost.Server.MemoryIdle == 0 {
		t.Errorf("server CPU per message %v, %d bytes of memory", v, trial.Cost.Server.MemoryIdle)
	}
	if got, handshakes := trial.Ledger, trial.Connect.Stages["tls"].Count(); valid && got.Delivered != got.Expected || handshakes != 10 {
		t.Errorf("delivered %d of %d messages, %d TLS handshakes", got.Delivered, got.Expected, handshakes)
	}
	if !run.Manifest.Configurations[0].TLS {
		t.Error("the manifest does not state TLS")
	}
}

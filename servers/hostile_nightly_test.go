//go:build nightly

package servers_test

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"pushbench/servers/wire"
)

// healthyLimit is how long a healthy client may wait for a publication and its delivery.
const healthyLimit = time.Second

// TestHostileClientsDelayNoOthers makes every attack on every transport and library. The server is a
// process with one processor; its attackers have the others.
func TestHostileClientsDelayNoOthers(t *testing.T) {
	for _, a := range attacks {
		for _, v := range a.variants() {
			t.Run(a.name+": "+v.transport+" on "+string(v.library), func(t *testing.T) { a.check(t, startProcess(t, v)) })
		}
	}
}

// serverProcess is the variable that makes this test binary serve a variant until its standard input ends.
const serverProcess = "PUSHBENCH_TEST_SERVER"

// startProcess starts a server in a process with one processor.
func startProcess(t *testing.T, v variant) *server {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^TestServerProcess$")
	cmd.Env = append(os.Environ(), serverProcess+"="+v.transport+" "+string(v.library), "GOMAXPROCS=1")
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		stdin.Close()
		if err := cmd.Wait(); err != nil {
			t.Errorf("server: %v", err)
		}
	})
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	return &server{variant: v, addr: strings.TrimSpace(line)}
}

// TestServerProcess is the server that startProcess starts.
func TestServerProcess(t *testing.T) {
	transport, library, found := strings.Cut(os.Getenv(serverProcess), " ")
	if !found {
		return
	}
	s := start(t, variant{transport, wire.Library(library)}, hostileLimits, hostileHub)
	fmt.Println(s.addr)
	_, _ = io.Copy(io.Discard, os.Stdin)
	s.grace = testTimeout
}

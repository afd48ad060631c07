//go:build nightly && linux

package endtoend

import (
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"pushbench/bench/child"
	"pushbench/scenarios"
	"pushbench/servers/foreign"
)

// Every target that ships with pushbench passes the checks against its server. make targets installs the servers.
func TestShippedTargetsAreVerified(t *testing.T) {
	for _, target := range startable(t) {
		t.Run(target, func(t *testing.T) { verified(t, target) })
	}
}

// startable lists the targets whose servers can be installed. The others are compared with stand-ins (bench/client/engines).
func startable(t *testing.T) []string {
	return slices.DeleteFunc(foreign.Names(), func(name string) bool {
		file, err := scenarios.LoadTarget(filepath.Join("..", "..", "..", "servers", "foreign", name, "target.yaml"))
		if err != nil {
			t.Fatal(err)
		}
		return file.URL != ""
	})
}

// Two servers of a target run at the same time: none has a fixed port or a shared folder.
func TestShippedTargetsRunTwice(t *testing.T) {
	for _, name := range startable(t) {
		t.Run(name, func(t *testing.T) {
			path, err := filepath.Abs(filepath.Join("..", "..", "..", "servers", "foreign", name, "target.yaml"))
			if err != nil {
				t.Fatal(err)
			}
			file, err := scenarios.LoadTarget(path)
			if err != nil {
				t.Fatal(err)
			}
			for range 2 {
				server, _, err := child.StartServer(t.Context(), []string{pushbench, "supervise", path}, child.Options{Preparation: time.Duration(file.Start.Within)})
				if err != nil {
					t.Fatal(err)
				}
				defer func() {
					if err := server.End(child.ExitTimeout); err != nil {
						t.Error(err)
					}
				}()
			}
		})
	}
}

// unrecognized are the servers whose protocol has no sign in a few requests: a protocol of its own, and streams that do
// not exist yet.
var unrecognized = map[string]bool{"goservice": true, "durablestreams": true}

// From the URL of each server pushbench target new recognizes its protocol, and writes a file that passes the checks
// unchanged.
func TestTargetNewRecognizesShippedTargets(t *testing.T) {
	for _, name := range startable(t) {
		if unrecognized[name] {
			continue
		}
		t.Run(name, func(t *testing.T) {
			shipped, err := scenarios.LoadTarget(filepath.Join("..", "..", "..", "servers", "foreign", name, "target.yaml"))
			if err != nil {
				t.Fatal(err)
			}
			server, greeting, err := child.StartServer(t.Context(), []string{pushbench, "supervise", shipped.Path}, child.Options{Preparation: time.Duration(shipped.Start.Within)})
			if err != nil {
				t.Fatal(err)
			}
			defer func() {
				if err := server.End(child.ExitTimeout); err != nil {
					t.Error(err)
				}
			}()
			path := shipped.Transports.WebSocket.Path
			if path == "" {
				path = shipped.Transports.SSE.Path
			}
			file := filepath.Join(t.TempDir(), "target.yaml")
			out, err := exec.CommandContext(t.Context(), pushbench, "target", "new", "http://"+greeting.Listening+string(path), "--out", file).CombinedOutput()
			if err != nil || !strings.Contains(string(out), "; the file begins as the target "+name+"\n") {
				t.Fatalf("%v:\n%s", err, out)
			}
			if out, err := exec.CommandContext(t.Context(), pushbench, "verify", file).CombinedOutput(); err != nil {
				t.Errorf("%v:\n%s", err, out)
			}
		})
	}
}

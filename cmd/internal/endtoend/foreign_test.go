package endtoend

import (
	"os/exec"
	"path/filepath"
	"testing"
)

// The example of docs/your-server.md is a server that is built from its source, and passes every check.
func TestExampleServiceIsVerified(t *testing.T) {
	file := filepath.Join("..", "..", "..", "servers", "foreign", "goservice", "target.yaml")
	out, err := exec.CommandContext(t.Context(), pushbench, "verify", file, "--silence", "100ms").CombinedOutput()
	if err != nil {
		t.Errorf("%v:\n%s", err, out)
	}
}

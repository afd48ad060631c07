package endtoend

import (
	"os/exec"
	"testing"
)

// A service as users write it, and three servers of other projects, pass every check.
func TestForeignServersAreVerified(t *testing.T) {
	for _, target := range []string{"goservice", "nchan", "mosquitto", "socketio"} {
		t.Run(target, func(t *testing.T) {
			t.Parallel()
			verified(t, target, "--silence", "100ms")
		})
	}
}

// verified runs pushbench verify on a target that ships with pushbench.
func verified(t *testing.T, target string, flags ...string) {
	t.Helper()
	c := exec.CommandContext(t.Context(), pushbench, append([]string{"verify", target}, flags...)...)
	c.Dir = "../../.." // the root of the checkout
	if out, err := c.CombinedOutput(); err != nil {
		t.Errorf("%v:\n%s", err, out)
	}
}

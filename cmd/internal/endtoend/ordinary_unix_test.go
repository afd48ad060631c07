//go:build unix

package endtoend

import (
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
)

// An ordinary user takes the lock of a folder that it can only read, such as the root folder. Root becomes an ordinary
// user for this test; any other user makes its own folder read-only.
func TestOrdinaryUserAcquiresOtherUsersLock(t *testing.T) {
	shared := openFolder(t)
	locked := filepath.Join(shared, "locked")
	if err := os.Mkdir(locked, 0o555); err != nil {
		t.Fatal(err)
	}
	program := filepath.Join(shared, "pushbench")
	copyFile(t, pushbench, program, 0o755)
	child := exec.Command(program, "selftest", "--only", "quantiles")
	child.Env = append(os.Environ(), "PUSHBENCH_LOCK="+locked, "TMPDIR="+shared, "HOME="+shared)
	child.Dir = shared
	child.SysProcAttr = unprivileged()
	if out, err := child.CombinedOutput(); err != nil {
		t.Errorf("selftest as an ordinary user: %v: %s", err, out)
	}
}

// unprivileged returns the credentials of a user without privileges, if the test runs as root.
func unprivileged() *syscall.SysProcAttr {
	const nobody = 65534
	if os.Getuid() != 0 {
		return &syscall.SysProcAttr{}
	}
	return &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
}

// openFolder returns a folder like /tmp, to which every user can write.
func openFolder(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for path, mode := range map[string]os.FileMode{filepath.Dir(dir): 0o755, dir: 0o777 | os.ModeSticky} {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

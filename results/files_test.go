package results

import (
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// /dev/full fails every write as a full disk does.
func TestFullDiskIsExplained(t *testing.T) {
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	l := &log{file: full}
	first := l.append([]byte("line\n"))
	if !errors.Is(first, syscall.ENOSPC) || !strings.Contains(first.Error(), "the disk is full") {
		t.Errorf("got %v, want that the disk is full", first)
	}
	if second := l.append([]byte("line\n")); !errors.Is(second, syscall.ENOSPC) {
		t.Errorf("a log with a truncated line accepts another: %v", second)
	}
}

// A limit on the file size truncates a write as a full disk does, and can be lifted. It applies to
// a whole process, so the writer is a separate one.
func TestTruncatedWriteIsRemoved(t *testing.T) {
	if path := os.Getenv("PUSHBENCH_TRUNCATED_LOG"); path != "" {
		writeWithLimit(t, path)
		return
	}
	path := filepath.Join(t.TempDir(), "log")
	writer := exec.Command(os.Args[0], "-test.run=^TestTruncatedWriteIsRemoved$")
	writer.Env = append(os.Environ(), "PUSHBENCH_TRUNCATED_LOG="+path)
	if out, err := writer.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	got, err := os.ReadFile(path)
	if want := "before\nafter\n"; err != nil || string(got) != want {
		t.Errorf("the log holds %q (%v), want %q", got, err, want)
	}
}

// writeWithLimit appends a line that does not fit, and another after lifting the limit.
func writeWithLimit(t *testing.T, path string) {
	l, err := createLog(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := l.append([]byte("before\n")); err != nil {
		t.Fatal(err)
	}
	signal.Ignore(syscall.SIGXFSZ) // which would end the process
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
		t.Fatal(err)
	}
	tight := syscall.Rlimit{Cur: uint64(l.size) + 5, Max: limit.Max}
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &tight); err != nil {
		t.Fatal(err)
	}
	if err := l.append([]byte("longer than the limit allows\n")); !errors.Is(err, syscall.EFBIG) {
		t.Fatalf("got %v, want that the file would be too large", err)
	}
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(l.append([]byte("after\n")), l.close()); err != nil {
		t.Fatal(err)
	}
}

func TestFailedWriteFileKeepsTheOldFile(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "target")
	if err := os.MkdirAll(filepath.Join(path, "in the way"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := WriteFile(path, []byte("new")); err == nil {
		t.Error("a folder was replaced by a file")
	}
	left, err := os.ReadDir(dir)
	if err != nil || len(left) != 1 {
		t.Errorf("%d entries left (%v), want no temporary file", len(left), err)
	}
}

func TestFileSystemErrorsAreExplained(t *testing.T) {
	for cause, want := range map[error]string{
		syscall.ENOSPC: "the disk is full",
		syscall.EDQUOT: "quota",
		syscall.EROFS:  "read-only",
		syscall.EACCES: "permission denied",
		syscall.EEXIST: "already exists",
		syscall.EIO:    "input/output error",
	} {
		err := explain("/data/run", &fs.PathError{Op: "write", Path: "/data/run", Err: cause})
		if !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "/data/run") || !errors.Is(err, cause) {
			t.Errorf("%v is explained as %q, want %q in it", cause, err, want)
		}
	}
}

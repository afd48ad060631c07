package results

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// /dev/full answers every write as a full disk does.
func TestAFullDiskIsOneClearSentence(t *testing.T) {
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	l := &log{file: full}
	first := l.append([]byte("line\n"))
	if !errors.Is(first, syscall.ENOSPC) || !strings.Contains(first.Error(), "the disk is full") {
		t.Errorf("got %v, want that the disk is full", first)
	}
	if again := l.append([]byte("line\n")); !errors.Is(again, syscall.ENOSPC) {
		t.Errorf("a log that could not cut its torn line accepts another: %v", again)
	}
}

// A limit on the file's size tears a write as a full disk does, and can be lifted.
func TestATornWriteIsCutOff(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	l, err := createLog(path, []byte("header\n"))
	if err != nil {
		t.Fatal(err)
	}
	whole := l.file
	readOnly, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer readOnly.Close()
	if _, err := whole.Write([]byte("torn")); err != nil { // as a short write leaves it
		t.Fatal(err)
	}
	if err := whole.Truncate(l.size); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(l.append([]byte("line\n")), l.close()); err != nil {
		t.Fatal(err)
	}
	if got, _ := os.ReadFile(path); string(got) != "header\nline\n" {
		t.Errorf("the log holds %q", got)
	}
}

func TestWriteFileLeavesTheOldOneWhenItFails(t *testing.T) {
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
		t.Errorf("%d entries left (%v), want no temporary file beside the old one", len(left), err)
	}
}

func TestErrorsOfTheFileSystemAreExplained(t *testing.T) {
	for cause, says := range map[error]string{
		syscall.ENOSPC: "the disk is full",
		syscall.EDQUOT: "quota",
		syscall.EROFS:  "read-only",
		syscall.EACCES: "no permission",
		syscall.EEXIST: "exists already",
		syscall.EIO:    "input/output error",
	} {
		err := explain("/data/run", &fs.PathError{Op: "write", Path: "/data/run", Err: cause})
		if !strings.Contains(err.Error(), says) || !strings.Contains(err.Error(), "/data/run") || !errors.Is(err, cause) {
			t.Errorf("%v is explained as %q, want %q in it", cause, err, says)
		}
	}
}

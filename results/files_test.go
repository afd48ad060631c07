package results

import (
	"crypto/rand"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
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
	dir, err := OpenDir(filepath.Dir(path))
	if err != nil {
		t.Fatal(err)
	}
	defer dir.Close()
	l, err := dir.createLog(filepath.Base(path))
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

// A file that a flag names is written to; it replaces nothing but regular files.
func TestNamedFileReplacesOnlyARegularFile(t *testing.T) {
	const text = "new"
	for _, c := range []struct {
		name    string
		prepare func(path string) error
		ends    string // the file with the text, or how the error begins or ends
		mode    fs.FileMode
	}{
		{"new", func(string) error { return nil }, "file", 0o644},
		{"private", func(path string) error { return os.WriteFile(path, nil, 0o600) }, "file", 0o600},
		{"link", func(path string) error {
			return errors.Join(os.WriteFile(path+"2", nil, 0o640), os.Symlink("file2", path))
		}, "file2", 0o640},
		{"dangling link", func(path string) error { return os.Symlink("file2", path) }, "file2", 0o644},
		{"links", func(path string) error {
			return errors.Join(os.Mkdir(path+"s", 0o755), os.Symlink("files/a", path), os.Symlink("../b", path+"s/a"))
		}, "b", 0o644},
		{"circle", func(path string) error { return os.Symlink("file", path) }, "is a link to itself; allowed: ", 0},
		{"link to a missing folder", func(path string) error { return os.Symlink("missing/file", path) }, "there is no folder ", 0},
		{"socket", func(path string) error { return syscall.Mknod(path, syscall.S_IFSOCK|0o600, 0) }, "is a socket; allowed: ", 0},
		{"device", func(path string) error { return os.Symlink("/dev/null", path) }, "", 0},
		{"full disk", func(path string) error { return os.Symlink("/dev/full", path) }, "the disk is full", 0},
		{"pipe without a reader", func(path string) error { return syscall.Mkfifo(path, 0o600) }, "no process reads from it", 0},
		{"device that is no output", func(path string) error { return os.Symlink("/dev/random", path) }, "is a device that is no terminal; allowed: ", 0},
		{"folder", func(path string) error { return os.Mkdir(path, 0o755) }, "allowed: a file in an existing folder", 0},
		{"read-only", func(path string) error { return os.WriteFile(path, nil, 0o444) }, "chmod u+w", 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			path := filepath.Join(dir, "file")
			if err := c.prepare(path); err != nil {
				t.Fatal(err)
			}
			before, missing := os.Lstat(path)
			err := WriteFile(path, []byte(text))
			after, _ := os.Lstat(path)
			if missing == nil && before.Mode().Type() != after.Mode().Type() {
				t.Errorf("%v was replaced by %v", before.Mode(), after.Mode())
			}
			switch {
			case c.mode == 0 && c.ends != "":
				if err == nil || !strings.Contains(err.Error(), c.ends) {
					t.Errorf("got %v, want %q in it", err, c.ends)
				}
			case err != nil:
				t.Error(err)
			case c.ends != "":
				written, err := os.ReadFile(filepath.Join(dir, c.ends))
				info, _ := os.Stat(path)
				if err != nil || string(written) != text || info.Mode() != c.mode {
					t.Errorf("%s holds %q with the mode %v (%v), want %q with %v", c.ends, written, info.Mode(), err, text, c.mode)
				}
			}
			if left, _ := filepath.Glob(filepath.Join(dir, tempPrefix+"*")); len(left) > 0 {
				t.Errorf("left: %q", left)
			}
		})
	}
}

// A folder that may not be written to is found before a measurement, not after it.
func TestFileInAReadOnlyFolderIsRefused(t *testing.T) {
	folder := t.TempDir()
	if os.Geteuid() == 0 {
		folder = "/proc" // where root may not create a file either
	} else if err := os.Chmod(folder, 0o555); err != nil {
		t.Fatal(err)
	}
	err := CheckFile(filepath.Join(folder, "file"))
	if want := "no file can be created in the folder " + folder; err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("got %v, want %q in it", err, want)
	}
}

func TestNamedPipeReceivesTheFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	reader, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	if err := WriteFile(path, []byte("new")); err != nil {
		t.Fatal(err)
	}
	got := make([]byte, 3)
	if _, err := reader.Read(got); err != nil || string(got) != "new" {
		t.Errorf("received %q (%v)", got, err)
	}
}

// Of a folder only regular files are replaced, and nothing outside of it is written.
func TestDirStaysInItsFolder(t *testing.T) {
	parent := t.TempDir()
	elsewhere, path := filepath.Join(parent, "elsewhere"), filepath.Join(parent, "folder")
	dir, err := OpenDir(path)
	if err != nil {
		t.Fatal(err)
	}
	defer dir.Close()
	in := func(name string) string { return filepath.Join(path, name) }
	if err := errors.Join(os.Mkdir(elsewhere, 0o755), os.Symlink("../elsewhere", in("charts")), os.Symlink("../elsewhere/new", in("link")),
		os.Symlink("/dev/null", in("device")), syscall.Mkfifo(in("pipe"), 0o600), os.Mkdir(in("a"), 0o755), os.WriteFile(in("read-only"), nil, 0o444)); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"charts/a.svg": "a link leads out of the folder", "../elsewhere/a": "a link leads out of the folder", "link": "not a regular file",
		"device": "not a regular file", "pipe": "not a regular file", "a": "not a regular file", "read-only": "read-only",
	} {
		if err := dir.Write(name, []byte("new")); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q in it", name, err, want)
		}
	}
	if err := dir.MkdirAll("charts"); err == nil {
		t.Error("a link was taken for a folder of its own")
	}
	if err := errors.Join(dir.Write("a/b", []byte("new")), Seal(path)); err != nil {
		t.Error(err)
	}
	const sums = "11507a0e2f5e69d5dfa40a62a1bd7b6ee57e6bcd85c67c9b8431b36fff21c437  a/b\n" +
		"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855  read-only\n"
	if got, _ := os.ReadFile(in(sumsFile)); string(got) != sums {
		t.Errorf("got the checksums\n%swant\n%s", got, sums)
	}
	if left, err := os.ReadDir(elsewhere); err != nil || len(left) > 0 {
		t.Errorf("written elsewhere: %v (%v)", left, err)
	}
}

// A process that is killed between write and rename leaves a temporary file. The folder can still be read, the file is no
// part of the run, and the next write removes it, but not that of a process that is still writing.
func TestLeftoverOfAKilledWriteIsRemoved(t *testing.T) {
	path := t.TempDir()
	dir, err := OpenDir(path)
	if err != nil {
		t.Fatal(err)
	}
	defer dir.Close()
	if err := dir.MkdirAll("charts"); err != nil {
		t.Fatal(err)
	}
	alive, name, err := dir.createTemp(".", 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer alive.Close()
	foreign := tempPrefix + "of-another-program"
	for _, left := range []string{tempPrefix + rand.Text(), "charts/" + tempPrefix + rand.Text(), foreign} {
		if err := os.WriteFile(filepath.Join(path, left), []byte("half"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(dir.Write("a", nil), dir.Write("charts/b", nil)); err != nil {
		t.Fatal(err)
	}
	var got []string
	err = fs.WalkDir(os.DirFS(path), ".", func(name string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() {
			got = append(got, name)
		}
		return err
	})
	want := []string{foreign, name, "a", "charts/b"}
	slices.Sort(want)
	if slices.Sort(got); err != nil || !slices.Equal(got, want) {
		t.Errorf("the folder has %q (%v), want %q", got, err, want)
	}
}

// A user whose umask keeps files private gets private files. A file that exists keeps its mode.
func TestNewFileHasTheModeOfTheUmask(t *testing.T) {
	dir, err := OpenDir(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer dir.Close()
	defer syscall.Umask(syscall.Umask(0o077))
	for range 2 {
		if err := dir.Write("private", nil); err != nil {
			t.Fatal(err)
		}
	}
	syscall.Umask(0)
	if err := errors.Join(dir.Write("private", nil), dir.Write("other", nil)); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]fs.FileMode{"private": 0o600, "other": 0o644} {
		if info, err := os.Stat(filepath.Join(dir.path, name)); err != nil || info.Mode() != want {
			t.Errorf("%s: got %v (%v), want %v", name, info.Mode(), err, want)
		}
	}
}

// In /tmp the file of another user cannot be replaced, although files can be created beside it.
func TestFileOfAnotherUserIsRefused(t *testing.T) {
	const user, other = 1000, 1001
	for _, c := range []struct {
		mode               fs.FileMode
		folder, file, user int
		want               bool
	}{
		{fs.ModeDir | fs.ModeSticky | 0o777, 0, other, user, true},
		{fs.ModeDir | fs.ModeSticky | 0o777, 0, user, user, false},
		{fs.ModeDir | fs.ModeSticky | 0o777, user, other, user, false},
		{fs.ModeDir | fs.ModeSticky | 0o777, other, other, 0, false},
		{fs.ModeDir | 0o777, 0, other, user, false},
	} {
		if got := protects(owned{mode: c.mode, by: c.folder}, owned{by: c.file}, c.user); got != c.want {
			t.Errorf("%+v: got %v", c, got)
		}
	}
	program, err := os.Executable() // which runs, so that the kernel lets no process write to it
	if err != nil {
		t.Fatal(err)
	}
	if err := CheckFile(program); err == nil || !strings.Contains(err.Error(), "cannot be written to: text file busy; allowed: another file") {
		t.Errorf("a file that cannot be written to: got %v", err)
	}
}

// owned is a file of a user.
type owned struct {
	fs.FileInfo
	mode fs.FileMode
	by   int
}

func (o owned) Mode() fs.FileMode { return o.mode }
func (o owned) Sys() any          { return &syscall.Stat_t{Uid: uint32(o.by)} }

// A folder that cannot be used is found before a measurement, and why is said.
func TestUnusableFolderIsRefused(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := errors.Join(os.Symlink("loop", "loop"), os.Symlink("nowhere", "dangling"), os.Mkdir("folder", 0o755), os.Symlink("folder", "link"), os.WriteFile("file", nil, 0o644)); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		"folder": "", "folder/a/b": "", "link": "", "link/a": "", "a/b": "", ".": "", "../": "",
		"loop": "loop is a link that leads to no folder; allowed: ", "loop/a": "loop is a link that leads to no folder; allowed: ", "dangling/a": "dangling is a link that leads to no folder; allowed: ",
		"file": "file is not a folder; allowed: ", "file/a/b": "file is not a folder; allowed: ", "/dev/null/a": "/dev/null is not a folder; allowed: ",
	} {
		err := CheckFolder(path)
		if want == "" && err != nil || want != "" && (err == nil || !strings.HasPrefix(err.Error(), want)) {
			t.Errorf("%s: got %v, want %q", path, err, want)
		}
	}
}

// A umask may prevent even the opening of the folder that was just made.
func TestRunWhoseFolderCannotBeOpenedLeavesNothing(t *testing.T) {
	parent := t.TempDir()
	f := &Folder{path: filepath.Join(parent, "run")}
	if err := errors.Join(f.makeFolder(), f.Discard()); err != nil {
		t.Error(err)
	}
	if left, _ := os.ReadDir(parent); len(left) > 0 {
		t.Errorf("left: %v", left)
	}
}

// A run that cannot begin leaves no folder, which would be in the way of the next one.
func TestRunThatCannotBeginLeavesNothing(t *testing.T) {
	parent := t.TempDir()
	_, err := Create(filepath.Join(parent, "run"), Manifest{Status: Complete, Transports: []string{"no name"}}, nil)
	if err == nil {
		t.Fatal("a run with an impossible manifest has begun")
	}
	if left, _ := os.ReadDir(parent); len(left) > 0 {
		t.Errorf("left: %v", left)
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
		err := explain("/data/run", &fs.PathError{Op: "write", Path: "/data/" + tempPrefix, Err: cause})
		if !strings.Contains(err.Error(), want) || strings.Count(err.Error(), "/data/run") != 1 || strings.Contains(err.Error(), tempPrefix) || !errors.Is(err, cause) {
			t.Errorf("%v is explained as %q, want %q in it", cause, err, want)
		}
	}
}

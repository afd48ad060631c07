package results

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
)

// A Dir is a folder that files are written into, whoever made it: it is an os.Root, so that no link in it
// leads elsewhere, and replaces regular files only.
type Dir struct {
	root *os.Root
	path string
}

// OpenDir opens a folder, which it creates if necessary.
func OpenDir(path string) (*Dir, error) {
	if err := os.MkdirAll(path, 0o755); err != nil {
		return nil, explain(path, err)
	}
	root, err := os.OpenRoot(path)
	if err != nil {
		return nil, explain(path, err)
	}
	return &Dir{root, path}, nil
}

// Close closes the folder; nil is none.
func (d *Dir) Close() error {
	if d == nil {
		return nil
	}
	return d.root.Close()
}

// explain describes an error about a file of the folder.
func (d *Dir) explain(name string, err error) error { return explain(filepath.Join(d.path, name), err) }

// MkdirAll creates a folder in the folder.
func (d *Dir) MkdirAll(name string) error {
	if err := d.root.MkdirAll(name, 0o755); err != nil {
		return d.explain(name, err)
	}
	return nil
}

// Write writes a file of the folder, or of a folder in it, atomically: it writes, syncs and renames a
// temporary file in the same folder, and syncs the folder. A file that exists keeps its mode; a new one has that of the
// user's umask.
func (d *Dir) Write(name string, data []byte) error {
	mode, exists := fs.FileMode(0o644), false
	switch info, err := d.root.Lstat(name); {
	case errors.Is(err, fs.ErrNotExist):
	case err == nil && !info.Mode().IsRegular():
		return d.explain(name, errors.New("it is not a regular file"))
	case err == nil && info.Mode()&0o222 == 0:
		return d.explain(name, errReadOnly)
	case err == nil:
		mode, exists = info.Mode().Perm(), true
	default:
		return d.explain(name, err)
	}
	d.removeLeftovers(path.Dir(name))
	f, temp, err := d.createTemp(path.Dir(name), mode)
	if err != nil {
		return d.explain(name, err)
	}
	if exists {
		err = f.Chmod(mode)
	}
	if err = errors.Join(err, writeAndClose(f, data)); err == nil {
		err = d.root.Rename(temp, name)
	}
	if err != nil {
		return errors.Join(d.explain(name, err), d.root.Remove(temp))
	}
	return d.sync(path.Dir(name))
}

// tempPrefix begins the name of a file that is being written.
const tempPrefix = ".tmp-"

// createTemp creates a temporary file in a folder. It is locked until it is closed: one without a lock is that of a
// process that was killed.
func (d *Dir) createTemp(folder string, mode fs.FileMode) (f *os.File, name string, err error) {
	for range 10 { // removeLeftovers of another process may remove it before it is locked
		name = path.Join(folder, tempPrefix+rand.Text())
		if f, err = d.root.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, mode); err != nil {
			return nil, "", err
		}
		err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if _, gone := d.root.Lstat(name); gone == nil && !errors.Is(err, syscall.EWOULDBLOCK) { // a file system may have no locks
			return f, name, nil
		}
		f.Close()
	}
	return nil, "", errors.New("another process removes its temporary files")
}

// leftover is the name of a temporary file: that of rand.Text, which no other program chooses.
var leftover = regexp.MustCompile("^" + regexp.QuoteMeta(tempPrefix) + "[A-Z2-7]{26}$")

// removeLeftovers removes the temporary files of killed processes from a folder. It need not succeed: they are in no
// report, and the next write tries again.
func (d *Dir) removeLeftovers(folder string) {
	entries, _ := fs.ReadDir(d.root.FS(), folder)
	for _, entry := range entries {
		if !entry.Type().IsRegular() || !leftover.MatchString(entry.Name()) {
			continue
		}
		name := path.Join(folder, entry.Name())
		f, err := rooted{d.root}.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK, 0)
		if err != nil {
			continue
		}
		if syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) == nil {
			_ = d.root.Remove(name)
		}
		f.Close()
	}
}

// errReadOnly is that of a file without write permission. Root may, and could rename another over it.
var errReadOnly = errors.New("the file is read-only")

func writeAndClose(f *os.File, data []byte) error {
	_, err := f.Write(data)
	if err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}

// sync makes a rename in a folder survive a power failure.
func (d *Dir) sync(name string) error {
	f, err := d.root.Open(name)
	if err != nil {
		return d.explain(name, err)
	}
	if err := errors.Join(f.Sync(), f.Close()); err != nil {
		return d.explain(name, err)
	}
	return nil
}

// WriteFile writes a file that a user has named, to where its links lead. A regular file is replaced as by
// Dir.Write. Anything else that data can be written to, such as a named pipe or /dev/null, receives it.
func WriteFile(path string, data []byte) error {
	if err := CheckFile(path); err != nil {
		return err
	}
	if info, err := os.Stat(path); err == nil {
		if open := outputOf(info); open != nil {
			_, err := open.Write(data)
			return err
		}
		if !info.Mode().IsRegular() {
			return writeTo(path, data)
		}
	}
	path = destination(path)
	dir, err := OpenDir(filepath.Dir(path))
	if err != nil {
		return err
	}
	defer dir.Close()
	return dir.Write(filepath.Base(path), data)
}

// CheckFile returns an error if WriteFile cannot or should not write to a path.
func CheckFile(path string) error {
	const allowed = "allowed: a file in an existing folder"
	to := destination(path)
	folder := filepath.Dir(to)
	if info, err := os.Stat(folder); err != nil || !info.IsDir() {
		return fmt.Errorf("there is no folder %s for %s; %s", folder, filepath.Base(to), allowed)
	}
	if slices.Contains(append(measured, sumsFile), filepath.Base(to)) && IsRun(folder) {
		return fmt.Errorf("%s holds what the run %s measured; allowed: another file", filepath.Base(to), folder)
	}
	switch info, err := os.Stat(path); {
	case err == nil && outputOf(info) != nil:
	case errors.Is(err, fs.ErrNotExist) && !strings.HasSuffix(path, "/"):
		return writable(folder)
	case errors.Is(err, syscall.ELOOP):
		return fmt.Errorf("%s is a link to itself; %s", path, allowed)
	case err != nil:
		return fmt.Errorf("%s cannot be examined: %w; %s", path, err, allowed)
	case info.IsDir():
		return fmt.Errorf("%s is a folder; %s", path, allowed)
	case info.Mode().Type() == fs.ModeDevice:
		return fmt.Errorf("%s is a disk; %s", path, allowed)
	case info.Mode().Type() == fs.ModeSocket:
		return fmt.Errorf("%s is a socket; %s", path, allowed)
	case info.Mode()&fs.ModeCharDevice != 0 && !sink(info):
		return fmt.Errorf("%s is a device that is no terminal; %s, standard output, a terminal, a named pipe or /dev/null", path, allowed)
	case info.Mode()&0o222 == 0:
		return fmt.Errorf("%s is read-only; allowed: another file, or chmod u+w %s", path, path)
	case info.Mode().IsRegular():
		return errors.Join(replaceable(to), writable(folder))
	}
	return nil
}

// IsRun reports whether a folder is that of a run.
func IsRun(folder string) bool {
	_, err := os.Lstat(filepath.Join(folder, manifestFile))
	return err == nil
}

// replaceable returns an error for a regular file that this user may not change. In a folder such as /tmp only its owner
// may replace it, whatever its mode.
func replaceable(path string) error {
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return fmt.Errorf("%s cannot be written to: %s; allowed: another file", path, inWords(err))
	}
	defer f.Close()
	file, err := f.Stat()
	if err != nil {
		return explain(path, err)
	}
	folder, err := os.Stat(filepath.Dir(path))
	if err != nil {
		return explain(path, err)
	}
	if protects(folder, file, os.Geteuid()) {
		return fmt.Errorf("%s belongs to another user, so that it cannot be replaced in %s; allowed: another file", path, filepath.Dir(path))
	}
	return nil
}

// protects reports whether a folder allows a user to create files, but not to replace this one.
func protects(folder, file fs.FileInfo, user int) bool {
	return folder.Mode()&fs.ModeSticky != 0 && user != 0 && owner(file) != user && owner(folder) != user
}

// owner is the user that a file belongs to; -1: unknown.
func owner(info fs.FileInfo) int {
	if stat, ok := info.Sys().(*syscall.Stat_t); ok {
		return int(stat.Uid)
	}
	return -1
}

// CheckFolder returns an error if OpenDir cannot open or create the folder, or no file can be created in it.
func CheckFolder(path string) error {
	const allowed = "allowed: a folder, or a new one in a folder"
	for at := filepath.Clean(path); ; at = filepath.Dir(at) {
		info, err := os.Stat(at)
		link, missing := os.Lstat(at)
		switch {
		case err == nil && info.IsDir():
			return writable(at)
		case err == nil:
			return fmt.Errorf("%s is not a folder; %s", at, allowed)
		case missing == nil && link.Mode()&fs.ModeSymlink != 0:
			return fmt.Errorf("%s is a link that leads to no folder; %s", at, allowed)
		case !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, syscall.ENOTDIR) && !errors.Is(err, syscall.ELOOP), at == filepath.Dir(at):
			return fmt.Errorf("%s cannot be examined: %s; %s", at, inWords(err), allowed)
		}
	}
}

// sinks are the devices that may be given as files. Writing to another, such as /dev/mem, can damage the machine, and so
// can opening it to find out what it is.
var sinks = []string{"/dev/null", "/dev/zero", "/dev/full", "/dev/console", "/dev/tty*", "/dev/pts/*"}

// sink reports whether a device is one of sinks, by whatever name.
func sink(info fs.FileInfo) bool {
	device, ok := info.Sys().(*syscall.Stat_t)
	for _, pattern := range sinks {
		names, _ := filepath.Glob(pattern) // no pattern is malformed
		for _, name := range names {
			if known, err := os.Stat(name); err == nil && known.Mode()&fs.ModeCharDevice != 0 && ok && known.Sys().(*syscall.Stat_t).Rdev == device.Rdev {
				return true
			}
		}
	}
	return false
}

// writable returns an error for a folder in which no file can be created, as a file is replaced by another one.
func writable(folder string) error {
	f, err := os.CreateTemp(folder, tempPrefix)
	if err != nil {
		return fmt.Errorf("no file can be created in the folder %s: %s; allowed: a file in a folder that can be written to", folder, inWords(err))
	}
	return errors.Join(f.Close(), os.Remove(f.Name()))
}

// outputOf returns standard output or standard error if a file is that, such as /dev/stdout, also if it leads to a file.
func outputOf(info fs.FileInfo) *os.File {
	for _, open := range []*os.File{os.Stdout, os.Stderr} {
		if other, err := open.Stat(); err == nil && os.SameFile(info, other) {
			return open
		}
	}
	return nil
}

// writeTo writes to a pipe or a device. A pipe that no process reads is an error: opening it would wait.
func writeTo(path string, data []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|syscall.O_NONBLOCK|syscall.O_NOCTTY, 0)
	if errors.Is(err, syscall.ENXIO) { // a pipe, or a terminal that is not there
		return explain(path, errors.New("no process reads from it"))
	}
	if err == nil {
		_, err = f.Write(data)
		err = errors.Join(err, f.Close())
	}
	if err != nil {
		return explain(path, err)
	}
	return nil
}

// destination is the path to which links lead, of which the last may not exist.
func destination(path string) string {
	for range 40 { // as many as Linux follows
		folder, err := filepath.EvalSymlinks(filepath.Dir(path))
		if err != nil {
			return path
		}
		path = filepath.Join(folder, filepath.Base(path))
		next, err := os.Readlink(path)
		if err != nil {
			return path
		}
		if !filepath.IsAbs(next) {
			next = filepath.Join(folder, next)
		}
		path = next
	}
	return path
}

// A log is an append-only file of lines.
type log struct {
	file *os.File
	size int64 // up to the end of the last complete line
	err  error // why nothing more can be appended
}

func (d *Dir) createLog(name string) (*log, error) {
	f, err := d.root.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY|os.O_APPEND, 0o644)
	if err != nil {
		return nil, d.explain(name, err)
	}
	return &log{file: f}, nil
}

// append adds a line with one write, so that a kill leaves at most one truncated line. The rest
// of a failed write is removed: the next line must not continue it.
func (l *log) append(line []byte) error {
	if l.err != nil || len(line) == 0 {
		return l.err
	}
	_, err := l.file.Write(line)
	if err == nil {
		l.size += int64(len(line))
		return nil
	}
	err = explain(l.file.Name(), err)
	if cut := l.file.Truncate(l.size); cut != nil {
		l.err = err
	}
	return err
}

// sync makes the appended lines survive a power failure.
func (l *log) sync() error {
	if err := l.file.Sync(); err != nil {
		return explain(l.file.Name(), err)
	}
	return nil
}

// close closes the log; nil has none.
func (l *log) close() error {
	if l == nil {
		return nil
	}
	return errors.Join(l.err, l.sync(), l.file.Close())
}

// A fileError is an error of the file system in words, without the name of a temporary file.
type fileError struct {
	text  string
	cause error
}

func (e *fileError) Error() string { return e.text }
func (e *fileError) Unwrap() error { return e.cause }

// WriteFailure begins the reason of a run whose results could not be written.
const WriteFailure = "write results to "

// explain describes an error of the file system.
func explain(path string, err error) error {
	return &fileError{WriteFailure + path + ": " + inWords(err), err}
}

// inWords is an error of the file system in words.
func inWords(err error) string {
	for _, known := range []struct {
		cause error
		text  string
	}{
		{syscall.ENOSPC, "the disk is full"},
		{syscall.EDQUOT, "the disk quota is exhausted"},
		{syscall.EROFS, "the file system is read-only"},
		{syscall.EFBIG, "the file would exceed the size limit"},
		{syscall.ELOOP, "it is a link to itself"},
		{fs.ErrPermission, "permission denied"},
		{fs.ErrExist, "it already exists"},
	} {
		if errors.Is(err, known.cause) {
			return known.text
		}
	}
	text := err.Error()
	var operation *fs.PathError
	if errors.As(err, &operation) {
		text = operation.Err.Error()
	}
	if strings.HasSuffix(text, "path escapes from parent") { // os.Root has no error to compare with
		return "a link leads out of the folder"
	}
	return text
}

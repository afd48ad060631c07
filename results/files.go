package results

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// WriteFile writes a file atomically: it writes, syncs and renames a temporary file in the same
// folder, and syncs the folder.
func WriteFile(path string, data []byte) error {
	temp, err := os.CreateTemp(filepath.Dir(path), ".tmp-*") // O_EXCL, 0600
	if err != nil {
		return explain(path, err)
	}
	if err = writeAndClose(temp, data); err == nil {
		err = os.Rename(temp.Name(), path)
	}
	if err != nil {
		return errors.Join(explain(path, err), os.Remove(temp.Name()))
	}
	return syncFolder(filepath.Dir(path))
}

func writeAndClose(f *os.File, data []byte) error {
	_, err := f.Write(data)
	if err == nil {
		err = f.Chmod(0o644)
	}
	if err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}

// syncFolder makes a rename in the folder survive a power failure.
func syncFolder(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return explain(path, err)
	}
	if err := errors.Join(f.Sync(), f.Close()); err != nil {
		return explain(path, err)
	}
	return nil
}

// A log is an append-only file of lines.
type log struct {
	file *os.File
	size int64 // up to the end of the last complete line
	err  error // why nothing more can be appended
}

func createLog(path string) (*log, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY|os.O_APPEND, 0o644)
	if err != nil {
		return nil, explain(path, err)
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

func (l *log) close() error {
	return errors.Join(l.err, l.sync(), l.file.Close())
}

// explain describes an error of the file system in words.
func explain(path string, err error) error {
	for _, known := range []struct {
		cause error
		text  string
	}{
		{syscall.ENOSPC, "the disk is full"},
		{syscall.EDQUOT, "the disk quota is exhausted"},
		{syscall.EROFS, "the file system is read-only"},
		{syscall.EFBIG, "the file would exceed the size limit"},
		{fs.ErrPermission, "permission denied"},
		{fs.ErrExist, "it already exists"},
	} {
		if errors.Is(err, known.cause) {
			return fmt.Errorf("write results to %s: %s: %w", path, known.text, err)
		}
	}
	return fmt.Errorf("write results to %s: %w", path, err)
}

package results

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"
)

// A Folder is a run being written. Its methods may be called concurrently.
//
// Until Finish it has the suffix ".partial" and the status INTERRUPTED, so that a killed process
// leaves a folder that Open reads.
type Folder struct {
	path    string    // final name
	parent  *Dir      // the folder that it is in
	dir     *Dir      // the folder itself
	created time.Time // on the monotonic clock of this process: the origin of Interval.At

	mu                sync.Mutex
	trials, intervals *log
}

// Create creates the folder of a run, and its parent folders. It returns an error if the path
// exists, finished or partial. It also fails, before any load is generated, if the disk is not
// writable.
func Create(path string, m Manifest, scenarioYAML []byte) (*Folder, error) {
	f := &Folder{path: filepath.Clean(path), created: time.Now()}
	if err := f.makeFolder(); err != nil {
		return nil, err
	}
	if err := f.begin(m, scenarioYAML); err != nil {
		return nil, errors.Join(err, f.Discard()) // a folder that holds nothing would only be in the way
	}
	return f, nil
}

// begin writes the files of a run that has not ended.
func (f *Folder) begin(m Manifest, scenarioYAML []byte) (err error) {
	if f.dir, err = OpenDir(f.Path()); err != nil {
		return err
	}
	if err := errors.Join(f.dir.Write(scenarioFile, scenarioYAML), f.createLogs()); err != nil {
		return err
	}
	// Last, so that Open can read every folder with a manifest.
	m.Status, m.Reason = Partial, "the run has not ended"
	return f.writeManifest(m)
}

// Discard removes the folder of a run that measured nothing.
func (f *Folder) Discard() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return errors.Join(f.closeLogs(), f.dir.Close(), f.parent.root.RemoveAll(filepath.Base(f.Path())), f.parent.Close())
}

// Path returns the folder while the run is being written.
func (f *Folder) Path() string { return Unfinished(f.path) }

// Unfinished returns the folder of a run while it is being written, and after it was interrupted.
func Unfinished(path string) string { return filepath.Clean(path) + partialSuffix }

func (f *Folder) makeFolder() (err error) {
	if _, err := os.Lstat(f.path); err == nil {
		return explain(f.path, fs.ErrExist)
	}
	if f.parent, err = OpenDir(filepath.Dir(f.path)); err != nil {
		return err
	}
	_ = f.parent.root.Remove(filepath.Base(f.Path())) // succeeds only if it is empty: that of a run that was killed at its start
	if err := f.parent.root.Mkdir(filepath.Base(f.Path()), 0o755); err != nil {
		return errors.Join(explain(f.Path(), err), f.parent.Close())
	}
	return f.parent.sync(".")
}

func (f *Folder) writeManifest(m Manifest) error {
	m.Schema = Schema
	if err := m.check(); err != nil {
		return fmt.Errorf("write manifest: %w", err)
	}
	body, err := json.MarshalIndent(m, "", "  ") // readable
	if err != nil {
		return fmt.Errorf("encode manifest: %w", err)
	}
	return f.dir.Write(manifestFile, seal("manifest", body))
}

func (f *Folder) createLogs() error {
	var errs [2]error
	f.trials, errs[0] = f.dir.createLog(trialsFile)
	f.intervals, errs[1] = f.dir.createLog(intervalsFile)
	return errors.Join(errs[:]...)
}

func (f *Folder) closeLogs() error {
	return errors.Join(f.trials.close(), f.intervals.close())
}

// AppendInterval adds an interval to intervals.jsonl. Appended intervals survive
// the kill of the process, but perhaps not a power failure.
func (f *Folder) AppendInterval(i Interval) error {
	if i.At == 0 {
		i.At = max(0, time.Since(f.created)-i.Length)
	}
	if err := i.check(); err != nil {
		return fmt.Errorf("interval of repetition %d %s: %w", i.Repetition, i.ConfigurationName(), err)
	}
	line, err := encodeLine("interval", i)
	if err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.intervals.append(line)
}

// AppendTrial adds a finished trial to trials.jsonl, and syncs both logs: appended trials survive
// a power failure. It returns an error for a trial that Open would reject.
func (f *Folder) AppendTrial(t Trial) error {
	if err := t.check(); err != nil {
		return fmt.Errorf("trial of %s: %w", t.Name(), err)
	}
	line, err := encodeLine("trial", t)
	if err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.trials.append(line); err != nil {
		return err
	}
	return errors.Join(f.trials.sync(), f.intervals.sync())
}

// Finish writes the final manifest, reads the run back, calls derive to write the reports into
// the folder, writes SHA256SUMS over all files and renames the folder to its final name. A
// INTERRUPTED run keeps its suffix.
//
// The returned run is the one read back, with its final path; nil if that failed. An error of
// derive does not prevent the rest: the measurement matters more than its report. Without a final
// manifest the folder stays that of a killed run.
func (f *Folder) Finish(m Manifest, derive func(*Run) error) (*Run, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	defer f.dir.Close()
	defer f.parent.Close()
	if err := errors.Join(f.closeLogs(), f.writeManifest(m)); err != nil {
		return f.unfinished(m), err
	}
	run, err := Open(f.Path())
	if err != nil {
		return nil, fmt.Errorf("read back the results in %s: %w", f.Path(), err)
	}
	run.Warnings = slices.DeleteFunc(run.Warnings, func(w string) bool { return w == unsealed })
	derived := derive(run)
	if err := f.dir.seal(); err != nil {
		return run, errors.Join(derived, err)
	}
	run.Path, err = f.rename(m.Status)
	return run, errors.Join(derived, err)
}

// unfinished is the run of a folder whose final manifest cannot be written, such as on a full disk: the
// measurements that are in it can still be shown. nil: there are none.
func (f *Folder) unfinished(m Manifest) *Run {
	run, err := Open(f.Path())
	if err != nil {
		return nil
	}
	run.Manifest = m
	return run
}

// rename gives a complete folder its final name.
func (f *Folder) rename(s Status) (string, error) {
	if s == Partial {
		return f.Path(), nil
	}
	// Rename would replace an empty folder created in the meantime.
	if _, err := os.Lstat(f.path); err == nil {
		return f.Path(), explain(f.path, fs.ErrExist)
	}
	if err := f.parent.root.Rename(filepath.Base(f.Path()), filepath.Base(f.path)); err != nil {
		return f.Path(), explain(f.path, err)
	}
	return f.path, f.parent.sync(".")
}

// Seal writes SHA256SUMS over the files of a run folder, in the format of `sha256sum --check`. It leaves out
// all that is no file of a run: links, pipes, devices, files that Open would refuse for their size, and names
// that a line cannot hold. Call it again after rewriting derived files.
func Seal(path string) error {
	d, err := OpenDir(path)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.seal()
}

func (d *Dir) seal() error {
	var sums bytes.Buffer
	files := files{FS: rooted{d.root}, left: maxFolder}
	err := fs.WalkDir(d.root.FS(), ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() || name == sumsFile || strings.HasPrefix(entry.Name(), tempPrefix) || Plain(name) != name {
			return err
		}
		if info, err := entry.Info(); err != nil || info.Size() > maxFile {
			return err
		}
		sum, err := files.checksum(name)
		fmt.Fprintf(&sums, "%s  %s\n", sum, name)
		return err
	})
	if err != nil {
		return fmt.Errorf("checksums of %s: %w", d.path, err)
	}
	return d.Write(sumsFile, sums.Bytes())
}

// Checksum returns the SHA-256 of a file, in hexadecimal.
func Checksum(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", fmt.Errorf("checksum: %w", err)
	}
	defer f.Close()
	sum, err := checksum(f)
	if err != nil {
		return "", fmt.Errorf("checksum of %s: %w", path, err)
	}
	return sum, nil
}

func checksum(r io.Reader) (string, error) {
	sum := sha256.New()
	_, err := io.Copy(sum, r)
	return hex.EncodeToString(sum.Sum(nil)), err
}

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
// Until Finish it has the suffix ".partial" and the status PARTIAL, so that
// whatever kills the process leaves a folder that Open reads.
type Folder struct {
	path  string    // its final name
	began time.Time // of this process's monotonic clock: Interval.At counts from it

	mu                      sync.Mutex
	trials, intervals, hlog *log
}

// Create makes the folder of a run that is about to begin, and the folders
// above it. It refuses a path that exists, finished or partial, and fails on
// a disk that cannot be written to before any load is made.
func Create(path string, m Manifest, scenarioYAML []byte) (*Folder, error) {
	f := &Folder{path: filepath.Clean(path), began: time.Now()}
	if err := f.makeFolder(); err != nil {
		return nil, err
	}
	if err := WriteFile(f.file(scenarioFile), scenarioYAML); err != nil {
		return nil, err
	}
	if err := f.createLogs(m.Started); err != nil {
		return nil, err
	}
	// Last, so that a folder with a manifest is one that Open reads.
	m.Status, m.Reason = Partial, "the run has not ended"
	return f, f.writeManifest(m)
}

// Discard removes a folder that nothing was measured for.
func (f *Folder) Discard() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return errors.Join(f.closeLogs(), os.RemoveAll(f.Path()))
}

// Path is where the run is being written.
func (f *Folder) Path() string { return f.path + partialSuffix }

func (f *Folder) file(name string) string { return filepath.Join(f.Path(), name) }

func (f *Folder) makeFolder() error {
	if _, err := os.Lstat(f.path); err == nil {
		return explain(f.path, fs.ErrExist)
	}
	if err := os.MkdirAll(filepath.Dir(f.path), 0o755); err != nil {
		return explain(f.path, err)
	}
	if err := os.Mkdir(f.Path(), 0o755); err != nil {
		return explain(f.Path(), err)
	}
	return syncFolder(filepath.Dir(f.path))
}

func (f *Folder) writeManifest(m Manifest) error {
	m.Schema = Schema
	if err := m.check(); err != nil {
		return fmt.Errorf("write manifest: %w", err)
	}
	body, err := json.MarshalIndent(m, "", "  ") // for people
	if err != nil {
		return fmt.Errorf("encode manifest: %w", err)
	}
	return WriteFile(f.file(manifestFile), seal("manifest", body))
}

func (f *Folder) createLogs(started time.Time) error {
	var errs [3]error
	f.trials, errs[0] = createLog(f.file(trialsFile), nil)
	f.intervals, errs[1] = createLog(f.file(intervalsFile), nil)
	f.hlog, errs[2] = createLog(f.file(hlogFile), hlogHeader(started))
	return errors.Join(errs[:]...)
}

func (f *Folder) closeLogs() error {
	return errors.Join(f.trials.close(), f.intervals.close(), f.hlog.close())
}

// AppendInterval adds what happened in one interval to intervals.jsonl and to
// latency.hlog. A killed process loses nothing that was appended; a power cut may.
func (f *Folder) AppendInterval(i Interval) error {
	if i.At == 0 {
		i.At = max(0, time.Since(f.began)-i.Length)
	}
	if err := i.check(); err != nil {
		return fmt.Errorf("interval of block %d %s: %w", i.Repetition, i.ConfigurationName(), err)
	}
	line, err := encodeLine("interval", i)
	if err != nil {
		return err
	}
	tagged, err := hlogLine(i)
	if err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.intervals.append(line); err != nil {
		return err
	}
	return f.hlog.append(tagged)
}

// AppendTrial adds a trial that has ended to trials.jsonl, and syncs all logs: a
// power cut loses no trial. It refuses what Open would refuse.
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
	return errors.Join(f.trials.sync(), f.intervals.sync(), f.hlog.sync())
}

// Finish writes the final manifest, lets derive write the reports into the
// folder from the run as it is read back, writes SHA256SUMS over everything and
// gives the folder its final name; one that is PARTIAL keeps its suffix.
//
// The returned run is the one that was read back, at the path where it is now; nil where that
// failed. An error of derive does not keep the folder from being finished: what was measured
// is worth more than its report.
func (f *Folder) Finish(m Manifest, derive func(*Run) error) (*Run, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := errors.Join(f.closeLogs(), f.writeManifest(m)); err != nil {
		return nil, err
	}
	run, err := Open(f.Path())
	if err != nil {
		return nil, fmt.Errorf("read back what was written to %s: %w", f.Path(), err)
	}
	run.Warnings = slices.DeleteFunc(run.Warnings, func(w string) bool { return w == unsealed })
	derived := derive(run)
	if err := Seal(f.Path()); err != nil {
		return run, errors.Join(derived, err)
	}
	run.Path, err = f.rename(m.Status)
	return run, errors.Join(derived, err)
}

// rename gives a folder that is complete its final name.
func (f *Folder) rename(s Status) (string, error) {
	if s == Partial {
		return f.Path(), nil
	}
	// Rename would replace an empty folder that appeared meanwhile.
	if _, err := os.Lstat(f.path); err == nil {
		return f.Path(), explain(f.path, fs.ErrExist)
	}
	if err := os.Rename(f.Path(), f.path); err != nil {
		return f.Path(), explain(f.path, err)
	}
	return f.path, syncFolder(filepath.Dir(f.path))
}

// Seal writes SHA256SUMS over all files of a run folder, in the form that
// `sha256sum --check` reads. Call it again after derived files were written anew.
func Seal(path string) error {
	var sums bytes.Buffer
	err := filepath.WalkDir(path, func(file string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		name, err := filepath.Rel(path, file)
		if err != nil || name == sumsFile || strings.HasPrefix(entry.Name(), ".tmp-") {
			return err
		}
		sum, err := Checksum(file)
		fmt.Fprintf(&sums, "%s  %s\n", sum, filepath.ToSlash(name))
		return err
	})
	if err != nil {
		return fmt.Errorf("sum up %s: %w", path, err)
	}
	return WriteFile(filepath.Join(path, sumsFile), sums.Bytes())
}

// Checksum is the SHA-256 of a file, in hexadecimal.
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

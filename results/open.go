package results

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
)

// Limits of file sizes, so that a malicious or corrupt folder cannot exhaust memory.
const (
	maxLine     = 8 << 20   // a trial has up to nine histograms
	maxManifest = 4 << 20   // bytes of manifest.json, of scenario.yaml and of SHA256SUMS
	maxFile     = 512 << 20 // bytes of any log
	maxFolder   = 2 << 30   // bytes of all files with a checksum
)

// Open reads a run folder and validates all of it. The error for a corrupt file is a
// *CorruptError. If the writer was killed, the last line may be truncated: Open drops it and adds
// a warning.
func Open(path string) (*Run, error) {
	root, err := os.OpenRoot(path)
	if err != nil {
		return nil, explainOpen(path, err)
	}
	defer root.Close()
	return openFS(rooted{root}, filepath.Clean(path))
}

// rooted opens the files of a folder. A link cannot lead out of the folder, and a named pipe or a device is
// opened without waiting.
type rooted struct{ *os.Root }

func (r rooted) Open(name string) (fs.File, error) {
	return r.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK, 0)
}

func openFS(root fs.FS, path string) (*Run, error) {
	r := &reader{files: files{root, maxFolder}, run: &Run{Path: path}}
	trials := func() error { return into(r, trialsFile, "trial", &r.run.Trials) }
	intervals := func() error { return into(r, intervalsFile, "interval", &r.run.Intervals) }
	for _, step := range []func() error{r.manifest, r.sums, r.scenario, trials, intervals, r.run.check} {
		if err := step(); err != nil {
			return nil, err
		}
	}
	r.unfinished()
	return r.run, nil
}

// A missingError reports that there is no run folder.
type missingError struct{ text string }

func (e *missingError) Error() string { return e.text }
func (e *missingError) Unwrap() error { return fs.ErrNotExist }

// explainOpen names the missing folder, and that of an interrupted run if there is one.
func explainOpen(path string, err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		text := "no run folder " + path
		if _, partial := os.Stat(filepath.Clean(path) + partialSuffix); partial == nil {
			text += fmt.Sprintf(" (the run was interrupted: see %s%s)", filepath.Clean(path), partialSuffix)
		}
		return &missingError{text}
	}
	return &fileError{path + " cannot be opened: " + inWords(err), err}
}

// A reader reads the files of a folder into run.
type reader struct {
	files
	run    *Run
	sealed bool // SHA256SUMS exists, so no line may be truncated

	decoder decoder // of the manifest's version
}

func corrupt(file string, line int, problem string, err error) error {
	return &CorruptError{File: file, Line: line, Problem: problem, Err: err}
}

func (r *reader) warn(format string, args ...any) {
	r.run.Warnings = append(r.run.Warnings, fmt.Sprintf(format, args...))
}

// files are those of a folder.
type files struct {
	fs.FS
	left int64 // bytes that may still be read to check checksums
}

// open opens a regular file of limited size only.
func (f *files) open(name string, limit int64) (fs.File, int64, error) {
	file, err := f.Open(name)
	if err != nil {
		return nil, 0, corrupt(name, 0, "cannot be read", err)
	}
	info, err := file.Stat()
	switch {
	case err != nil:
		err = corrupt(name, 0, "cannot be read", err)
	case !info.Mode().IsRegular():
		err = corrupt(name, 0, "is not a regular file", nil)
	case info.Size() > limit:
		err = corrupt(name, 0, fmt.Sprintf("has %d bytes; allowed: at most %d", info.Size(), limit), nil)
	default:
		return file, info.Size(), nil
	}
	file.Close()
	return nil, 0, err
}

func (f *files) readAll(name string, limit int64) ([]byte, error) {
	file, _, err := f.open(name, limit)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	data, err := io.ReadAll(io.LimitReader(file, limit))
	if err != nil {
		return nil, corrupt(name, 0, "cannot be read", err)
	}
	return data, nil
}

// checksum returns the SHA-256 of a file.
func (f *files) checksum(name string) (string, error) {
	file, size, err := f.open(name, maxFile)
	if err != nil {
		return "", err
	}
	defer file.Close()
	if f.left -= size; f.left < 0 {
		return "", corrupt(name, 0, fmt.Sprintf("is in a folder whose files have more than %d bytes", maxFolder), nil)
	}
	return checksum(io.LimitReader(file, size))
}

func (r *reader) manifest() error {
	data, err := r.readAll(manifestFile, maxManifest)
	if errors.Is(err, fs.ErrNotExist) {
		return corrupt(manifestFile, 0, "is missing: this is not a run folder", nil)
	}
	if err != nil {
		return err
	}
	if r.run.Manifest, r.decoder, err = decodeManifest(data); err != nil {
		return corrupt(manifestFile, 0, "is invalid", err)
	}
	return nil
}

// unsealed is the warning about a folder without SHA256SUMS, which Finish writes.
const unsealed = "the run was killed before it finished: " + sumsFile + " is missing"

// sums compares the folder with SHA256SUMS. A modified report is a warning and a missing one is
// ignored, as reports can be regenerated. A measurement cannot: a modified one is an error.
func (r *reader) sums() error {
	data, err := r.readAll(sumsFile, maxManifest)
	if errors.Is(err, fs.ErrNotExist) {
		r.warn(unsealed)
		return nil
	}
	if err != nil {
		return err
	}
	r.sealed = true
	sums, err := parseSums(data)
	if err != nil {
		return corrupt(sumsFile, 0, "is invalid", err)
	}
	for _, name := range measured {
		if err := r.verify(name, sums[name]); err != nil {
			return corrupt(name, 0, "was modified", err)
		}
		delete(sums, name)
	}
	var modified []string
	for _, name := range slices.Sorted(maps.Keys(sums)) {
		err := r.verify(name, sums[name])
		switch {
		case r.left < 0:
			return err
		case err != nil && !errors.Is(err, fs.ErrNotExist): // a missing one can be regenerated
			modified = append(modified, name+" was modified after the run: "+err.Error())
		}
	}
	if more := len(modified) - 1; more > 0 {
		modified[0] += fmt.Sprintf(" (and %d more files)", more)
	}
	r.run.Warnings = append(r.run.Warnings, modified[:min(1, len(modified))]...)
	return nil
}

// scenario reads the scenario file, which a killed run may lack.
func (r *reader) scenario() (err error) {
	r.run.Scenario, err = r.readAll(scenarioFile, maxManifest)
	if errors.Is(err, fs.ErrNotExist) && !r.sealed {
		return nil
	}
	return err
}

// measured are the files that SHA256SUMS must list.
var measured = []string{manifestFile, scenarioFile, trialsFile, intervalsFile}

// parseSums reads the format of Seal.
func parseSums(data []byte) (map[string]string, error) {
	sums := map[string]string{}
	for line := range bytes.Lines(data) {
		sum, name, ok := strings.Cut(strings.TrimSuffix(string(line), "\n"), "  ")
		if raw, err := hex.DecodeString(sum); !ok || err != nil || len(raw) != sha256.Size || !fs.ValidPath(name) || line[len(line)-1] != '\n' {
			return nil, fmt.Errorf("line %.80q is not a checksum and a name", line)
		}
		sums[name] = sum
	}
	for _, name := range measured {
		if sums[name] == "" {
			return nil, fmt.Errorf("no checksum of %s", name)
		}
	}
	return sums, nil
}

func (r *reader) verify(name, want string) error {
	got, err := r.checksum(name)
	if err == nil && got != want {
		err = fmt.Errorf("its SHA-256 is %s, but in %s %s", got, sumsFile, want)
	}
	return err
}

// into decodes each line of a file and appends the values.
func into[T interface{ check() error }](r *reader, file, kind string, all *[]T) error {
	return r.lines(file, func(line []byte) error {
		v, err := decode[T](r.decoder, kind, line)
		*all = append(*all, v)
		return err
	})
}

// lines calls f for each complete line. A kill can leave a truncated line at the end: it is
// dropped, unless the folder has SHA256SUMS.
func (r *reader) lines(name string, f func(line []byte) error) error {
	file, _, err := r.open(name, maxFile)
	if err != nil {
		return err
	}
	defer file.Close()
	in := bufio.NewReaderSize(file, 64<<10)
	for n := 1; ; n++ {
		line, whole, err := readLine(in)
		switch {
		case err != nil:
			return corrupt(name, n, "cannot be read", err)
		case !whole && len(line) == 0:
			return nil
		case !whole && r.sealed:
			return corrupt(name, n, "is truncated", nil)
		case !whole:
			r.warn("%s: line %d was truncated when the run was killed: %d bytes dropped, %d complete lines kept", name, n, len(line), n-1)
			return nil
		}
		if err := f(line); err != nil {
			return corrupt(name, n, "is invalid", err)
		}
	}
}

// readLine reads up to a line end, which it removes, or to the end of the file.
func readLine(in *bufio.Reader) (line []byte, whole bool, err error) {
	for {
		part, err := in.ReadSlice('\n')
		line = append(line, part...)
		switch {
		case len(line) > maxLine:
			return nil, false, fmt.Errorf("the line is longer than %d bytes", maxLine)
		case err == nil:
			return line[:len(line)-1], true, nil
		case errors.Is(err, io.EOF):
			return line, false, nil
		case !errors.Is(err, bufio.ErrBufferFull):
			return nil, false, err
		}
	}
}

// unfinished warns about the intervals of trials that did not end: they remain in the folder and
// are part of no result.
func (r *reader) unfinished() {
	ended := map[string]bool{}
	for _, t := range r.run.Trials {
		ended[fmt.Sprintf("repetition %d %s", t.Repetition, t.ConfigurationName())] = true
	}
	left := map[string]int{}
	var order []string
	for _, i := range r.run.Intervals {
		trial := fmt.Sprintf("repetition %d %s", i.Repetition, i.ConfigurationName())
		if ended[trial] {
			continue
		}
		if left[trial]++; left[trial] == 1 {
			order = append(order, trial)
		}
	}
	const most = 10 // a run is interrupted in one trial, or in one of each server
	if more := len(order) - most; more > 0 {
		defer r.warn("%d more trials were interrupted", more)
	}
	for _, trial := range order[:min(most, len(order))] {
		r.warn("%s was interrupted: %d of its intervals are kept, but are part of no result", trial, left[trial])
	}
}

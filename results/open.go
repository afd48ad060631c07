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
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Bounds of what is read, so that a hostile or damaged folder cannot exhaust memory.
const (
	maxLine     = 8 << 20   // a trial has up to nine histograms
	maxManifest = 4 << 20   // bytes of manifest.json and of SHA256SUMS
	maxFile     = 512 << 20 // bytes of any log
)

// Open reads a run folder and trusts nothing in it. What cannot be trusted is a
// *CorruptError. A folder that its writer was killed in may end in a torn line:
// it is dropped and said in Warnings.
func Open(path string) (*Run, error) {
	root, err := os.OpenRoot(path)
	if err != nil {
		return nil, explainOpen(path, err)
	}
	defer root.Close()
	return openFS(root.FS(), filepath.Clean(path))
}

func openFS(root fs.FS, path string) (*Run, error) {
	r := &reader{root: root, run: &Run{Path: path}}
	trials := func() error { return into(r, trialsFile, "trial", &r.run.Trials) }
	intervals := func() error { return into(r, intervalsFile, "interval", &r.run.Intervals) }
	for _, step := range []func() error{r.manifest, r.sums, trials, intervals, r.hlog, r.run.check} {
		if err := step(); err != nil {
			return nil, err
		}
	}
	r.run.useCurrentNames()
	r.unfinished()
	return r.run, nil
}

// explainOpen adds where a run that was cut short is to be found.
func explainOpen(path string, err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		if _, partial := os.Stat(filepath.Clean(path) + partialSuffix); partial == nil {
			return fmt.Errorf("open run: %w (the run was cut short: see %s%s)", err, filepath.Clean(path), partialSuffix)
		}
	}
	return fmt.Errorf("open run: %w", err)
}

// A reader reads the files of a folder in turn into run.
type reader struct {
	root   fs.FS
	run    *Run
	sealed bool // SHA256SUMS is there, so nothing may be torn
}

func corrupt(file string, line int, problem string, err error) error {
	return &CorruptError{File: file, Line: line, Problem: problem, Err: err}
}

func (r *reader) warn(format string, args ...any) {
	r.run.Warnings = append(r.run.Warnings, fmt.Sprintf(format, args...))
}

// open refuses anything but a file of bounded size: opening a pipe would hang.
func (r *reader) open(name string, limit int64) (fs.File, error) {
	info, err := fs.Stat(r.root, name)
	if err != nil {
		return nil, corrupt(name, 0, "cannot be read", err)
	}
	if !info.Mode().IsRegular() {
		return nil, corrupt(name, 0, "is not a regular file", nil)
	}
	if info.Size() > limit {
		return nil, corrupt(name, 0, fmt.Sprintf("has %d bytes, at most %d allowed", info.Size(), limit), nil)
	}
	f, err := r.root.Open(name)
	if err != nil {
		return nil, corrupt(name, 0, "cannot be read", err)
	}
	return f, nil
}

func (r *reader) readAll(name string, limit int64) ([]byte, error) {
	f, err := r.open(name, limit)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, limit))
	if err != nil {
		return nil, corrupt(name, 0, "cannot be read", err)
	}
	return data, nil
}

func (r *reader) manifest() error {
	data, err := r.readAll(manifestFile, maxManifest)
	if errors.Is(err, fs.ErrNotExist) {
		return corrupt(manifestFile, 0, "is missing: this is no run folder", nil)
	}
	if err != nil {
		return err
	}
	if r.run.Manifest, err = decodeManifest(data); err != nil {
		return corrupt(manifestFile, 0, "cannot be trusted", err)
	}
	return nil
}

// unsealed is the warning about a folder that Finish has not sealed.
const unsealed = "the run was killed before it was finished: there is no " + sumsFile

// sums compares the folder with SHA256SUMS. Reports can be made again, so one
// that was changed is only worth a warning, and one that is gone not even that;
// what was measured cannot.
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
		return corrupt(sumsFile, 0, "cannot be trusted", err)
	}
	for name, want := range sums {
		err := r.verify(name, want)
		switch {
		case err == nil:
		case slices.Contains(measured, name):
			return corrupt(name, 0, "is not what was written", err)
		case errors.Is(err, fs.ErrNotExist): // it can be drawn when it is wanted
		default:
			r.warn("%s was changed since the run: %v", name, err)
		}
	}
	slices.Sort(r.run.Warnings)
	return nil
}

// measured are the files that SHA256SUMS must vouch for.
var measured = []string{manifestFile, scenarioFile, trialsFile, intervalsFile, hlogFile}

// parseSums reads what Seal wrote.
func parseSums(data []byte) (map[string]string, error) {
	sums := map[string]string{}
	for line := range bytes.Lines(data) {
		sum, name, ok := strings.Cut(strings.TrimSuffix(string(line), "\n"), "  ")
		if raw, err := hex.DecodeString(sum); !ok || err != nil || len(raw) != sha256.Size || !fs.ValidPath(name) || line[len(line)-1] != '\n' {
			return nil, fmt.Errorf("line %.80q is not a sum and a name", line)
		}
		sums[name] = sum
	}
	for _, name := range measured {
		if sums[name] == "" {
			return nil, fmt.Errorf("it does not vouch for %s", name)
		}
	}
	return sums, nil
}

func (r *reader) verify(name, want string) error {
	f, err := r.open(name, maxFile)
	if err != nil {
		return err
	}
	defer f.Close()
	got, err := checksum(f)
	if err == nil && got != want {
		err = fmt.Errorf("its SHA-256 is %s, %s says %s", got, sumsFile, want)
	}
	return err
}

// into reads the lines of a file, each of a kind, and appends what they hold.
func into[T interface{ check() error }](r *reader, file, kind string, all *[]T) error {
	return r.lines(file, func(line []byte) error {
		v, err := decode[T](kind, line)
		*all = append(*all, v)
		return err
	})
}

// hlog checks the interval log against the intervals, line by line. A kill
// between the two writes leaves the log one line short.
func (r *reader) hlog() error {
	header := strings.Split(string(hlogHeader(r.run.Manifest.Started)), "\n")
	header = header[:len(header)-1]
	var n int
	err := r.lines(hlogFile, func(line []byte) error {
		n++
		switch i := n - len(header) - 1; {
		case i < 0 && string(line) != header[n-1]:
			return errors.New("not the header of this run's log")
		case i >= len(r.run.Intervals) || i >= 0 && !isHlogLine(string(line), r.run.Intervals[i]):
			return errors.New("not what " + intervalsFile + " says")
		}
		return nil
	})
	if err != nil {
		return err
	}
	if missing := len(header) + len(r.run.Intervals) - n; missing > 1 || missing > 0 && r.sealed {
		return corrupt(hlogFile, 0, fmt.Sprintf("%d lines are missing", missing), nil)
	}
	return nil
}

// lines calls f for each whole line. A torn one at the end is what a kill
// leaves: it is dropped, unless the folder was sealed after it.
func (r *reader) lines(name string, f func(line []byte) error) error {
	file, err := r.open(name, maxFile)
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
			return corrupt(name, n, "is torn", nil)
		case !whole:
			r.warn("%s: line %d was torn when the run was killed: %d bytes dropped, %d whole lines kept", name, n, len(line), n-1)
			return nil
		}
		if err := f(line); err != nil {
			return corrupt(name, n, "cannot be trusted", err)
		}
	}
}

// readLine reads up to a line end, which it cuts off, or to the end of the file.
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

// unfinished counts the intervals of trials that never ended: they are kept in
// the folder, and enter no figure.
func (r *reader) unfinished() {
	ended := map[string]bool{}
	for _, t := range r.run.Trials {
		ended[fmt.Sprintf("block %d %s", t.Repetition, t.ConfigurationName())] = true
	}
	left := map[string]int{}
	var order []string
	for _, i := range r.run.Intervals {
		trial := fmt.Sprintf("block %d %s", i.Repetition, i.ConfigurationName())
		if ended[trial] {
			continue
		}
		if left[trial]++; left[trial] == 1 {
			order = append(order, trial)
		}
	}
	for _, trial := range order {
		r.warn("%s was cut short: %d of its intervals are kept, and enter no figure", trial, left[trial])
	}
}

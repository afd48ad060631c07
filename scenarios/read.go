package scenarios

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"reflect"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/goccy/go-yaml/ast"
)

//go:embed *.yaml labs/*.yaml papers/*.yaml
var embedded embed.FS

// Read reads one scenario in YAML, checks it and resolves its defaults. The name identifies the file
// in errors, which are all of type *Error.
func Read(name string, r io.Reader) (*Scenario, error) {
	d, err := newDocument(name, r)
	if err != nil {
		return nil, err
	}
	s := new(Scenario)
	rules().fill(reflect.ValueOf(s).Elem())
	if err := d.decode(rules(), s); err != nil {
		return nil, err
	}
	resolve(&s.Published)
	if c := s.validate(); c != nil {
		return nil, d.conflict(c)
	}
	s.Warnings = d.warnings()
	return s, nil
}

// Check checks a scenario that was made or changed in Go, such as by a flag: it writes s as YAML and
// reads that. Its errors have no position.
func (s *Scenario) Check() error {
	_, err := Read("scenario "+s.Name, bytes.NewReader(s.YAML()))
	return withoutPosition(err)
}

// Vary sweeps an axis: its name as in sweep, and its values as in a file, separated by commas, such as
// "rate" and "10/s, 100/s". Both may be given as in the names of configurations. It replaces the scenario's own values on the axis. Call Check to
// check the scenario with it.
func (s *Scenario) Vary(name, values string) error {
	if i := slices.IndexFunc(axes, func(a axis) bool { return a.called(name) }); i >= 0 {
		name = axes[i].field()
		var written []string
		for value := range strings.SplitSeq(values, ",") {
			written = append(written, axes[i].written(value))
		}
		values = strings.Join(written, ", ")
	}
	d, err := newDocument("sweep", strings.NewReader(name+": ["+values+"]"))
	if err != nil {
		return err
	}
	if fields, ok := d.root.(*ast.MappingNode); ok && len(fields.Values) > 1 {
		return d.wholeFile(fmt.Sprintf("%q sets several fields; allowed: one field and its values", name+"="+values))
	}
	if err := d.decode(newRule(reflect.TypeFor[Sweep](), ""), &s.Sweep); err != nil {
		return withoutPosition(err)
	}
	for _, r := range d.renamed { // at most one, as there is one field
		s.Warnings = append(s.Warnings, fmt.Sprintf("--sweep: %q is deprecated: use %q", r.old, r.now))
	}
	return nil
}

// SweepField returns the current name of a field of sweep, which may be given as in the names of
// configurations.
func SweepField(name string) string {
	if i := slices.IndexFunc(axes, func(a axis) bool { return a.called(name) }); i >= 0 {
		return axes[i].field()
	}
	for _, f := range newRule(reflect.TypeFor[Sweep](), "").Fields {
		if f.Was == name {
			return f.Name
		}
	}
	return name
}

// withoutPosition removes the position of an error about a text that is in no file.
func withoutPosition(err error) error {
	var e *Error
	if errors.As(err, &e) {
		e.Line, e.Column = 0, 0
	}
	return err
}

// Load reads an embedded scenario by its name, such as "chat", or any other by its path. A name takes
// precedence over a file of the same name: use ./chat for the file.
func Load(nameOrPath string) (*Scenario, error) {
	data, err := Source(nameOrPath)
	if err != nil {
		return nil, err
	}
	return Read(nameOrPath, bytes.NewReader(data))
}

// Names lists the embedded scenarios in alphabetical order, then those of labs and of papers.
func Names() []string {
	var files []string
	for _, pattern := range []string{"*.yaml", "labs/*.yaml", "papers/*.yaml"} {
		found, err := fs.Glob(embedded, pattern)
		if err != nil {
			panic(err) // only a malformed pattern
		}
		files = append(files, found...)
	}
	for i, f := range files {
		files[i] = strings.TrimSuffix(f, ".yaml")
	}
	return files
}

// Source returns the YAML that Load reads, comments included and not checked. It reads no more of a
// file than shows that it is too large.
func Source(nameOrPath string) ([]byte, error) {
	if data, err := embedded.ReadFile(nameOrPath + ".yaml"); err == nil {
		return data, nil
	}
	file, err := open(nameOrPath, unknown(nameOrPath))
	if err != nil {
		return nil, err
	}
	defer file.Close()
	data, err := io.ReadAll(io.LimitReader(file, maxBytes+1))
	if err != nil {
		return nil, unreadable(nameOrPath, err)
	}
	return data, nil
}

// readTimeout ends the reading of what looks like a regular file and waits for ever, such as /proc/kmsg.
const readTimeout = 5 * time.Second

// open opens a regular file; missing is the error if there is none. It checks the type first, because opening
// a FIFO would wait for a writer and reading a device may never end.
func open(path string, missing *Error) (*os.File, error) {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, missing
	case err == nil && !info.Mode().IsRegular():
		return nil, &Error{File: path, Message: "is " + kindOf(info.Mode()) + "; allowed: a regular file"}
	}
	file, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err == nil {
		_ = file.SetReadDeadline(time.Now().Add(readTimeout)) // files that never wait have none
	}
	if err != nil {
		return nil, unreadable(path, err)
	}
	return file, nil
}

// unreadable is the error of a file that cannot be read.
func unreadable(path string, err error) *Error {
	text := err.Error()
	if p := (*fs.PathError)(nil); errors.As(err, &p) { // Error.File has the path already
		text = p.Err.Error()
	}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		text = fmt.Sprintf("no data arrived for %v", readTimeout)
	}
	return &Error{File: path, Message: "cannot be read: " + text, cause: err}
}

func kindOf(mode fs.FileMode) string {
	switch {
	case mode.IsDir():
		return "a directory"
	case mode&fs.ModeNamedPipe != 0:
		return "a named pipe"
	case mode&fs.ModeDevice != 0:
		return "a device"
	}
	return "not a regular file"
}

func unknown(name string) *Error {
	return &Error{
		File:    name,
		Message: fmt.Sprintf("no such scenario or file; allowed: %s, or the path of a YAML file", strings.Join(Names(), ", ")),
		Hint:    meant(closestName(strings.TrimSuffix(name, ".yaml"))),
		cause:   fs.ErrNotExist,
	}
}

// closestName returns the embedded scenario that is closest to a mistyped name, of which the folder
// may be missing; "" if none is close.
func closestName(typed string) string {
	full := map[string]string{}
	var known []string
	for _, name := range Names() {
		for _, short := range []string{name, path.Base(name)} {
			full[short] = name
			known = append(known, short)
		}
	}
	return full[closest(typed, known)]
}

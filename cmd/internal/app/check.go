package app

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"pushbench/results"
	"pushbench/results/report"
	"pushbench/scenarios"
)

// A reference is a complete run and its scenario.
type reference struct {
	run      *results.Run
	scenario *scenarios.Scenario
}

// openReference opens a run with the target files of its servers: those given, or else those that the run names.
func openReference(path string, files []string) (ref reference, err error) {
	if ref.run, err = OpenRun(path); err != nil {
		return ref, err
	}
	if ref.scenario, err = scenarios.Read(filepath.Join(path, "scenario.yaml"), bytes.NewReader(ref.run.Scenario)); err != nil {
		return ref, err
	}
	ref.scenario.Warnings = nil // a run folder keeps the names of its time
	if len(ref.scenario.Sweep.Target) > 0 {
		err = ref.loadTargets(files)
	}
	switch {
	case err != nil:
	case ref.run.Manifest.Status != results.Complete:
		err = &Error{Invalid, fmt.Errorf("%s is %s and cannot be a reference; allowed: a complete run", path, report.New(ref.run).Badge())}
	case len(ref.scenario.Assertions) == 0:
		err = Usagef("%s has no assertions to check", path)
	}
	return ref, err
}

// loadTargets reads the target files of the servers that the run measured.
func (ref reference) loadTargets(files []string) error {
	var o Options
	for _, name := range ref.scenario.Sweep.Target {
		file, err := ref.targetFile(string(name), files)
		if err != nil {
			return err
		}
		o.Targets = append(o.Targets, file)
	}
	return o.loadTargets(ref.scenario)
}

// targetFile is the target file of a server of the run. Only files of TargetsFolder are read without being given.
func (ref reference) targetFile(name string, files []string) (string, error) {
	if name == string(scenarios.ReferenceTarget) {
		return name, nil
	}
	for _, file := range files {
		if t, err := loadTarget("--target", file); err != nil || string(t.Name) == name {
			return file, err
		}
	}
	i := slices.IndexFunc(ref.run.Manifest.Targets, func(t results.Target) bool { return t.Name == name })
	if i < 0 {
		return "", Usagef("%s measured the server %s and names no target file; give it with --target", ref.run.Path, name)
	}
	file := ref.run.Manifest.Targets[i].File
	if !filepath.IsLocal(file) || !strings.HasPrefix(filepath.Clean(file), TargetsFolder+string(filepath.Separator)) {
		// It may start any program, and the folder may come from another person.
		return "", Usagef("%s measured the server %s of the target file %s; to start that, give it with --target %[3]s", ref.run.Path, name, file)
	}
	if t, err := loadTarget("--target", file); err != nil || string(t.Name) != name {
		return "", Usagef("%s measured the server %s, and its target file %s is not here; run the command in the folder of that run, or give the file with --target", ref.run.Path, name, file)
	}
	return file, nil
}

// References is the folder of reference runs in a checkout of pushbench.
const References = "results/reference"

// Check measures the scenarios of reference runs again and calls show after each. All references
// are read before the first is measured.
func (e Env) Check(ctx context.Context, folders []string, o Options, show func(report.Check) error) error {
	var refs []reference
	for _, path := range folders {
		ref, err := openReference(path, o.Targets)
		if err != nil {
			return err
		}
		refs = append(refs, ref)
	}
	for _, ref := range refs {
		if err := e.reexecInUserNamespace(ref.scenario); err != nil {
			return err
		}
	}
	return e.checkEach(ctx, refs, func(s *Session, ref reference) error { return s.check(ref, o, show) })
}

// checkEach checks references one after the other until it is interrupted. Its error has a line
// for each reference that did not pass or was not measured.
func (e Env) checkEach(ctx context.Context, refs []reference, check func(*Session, reference) error) error {
	return e.InSession(ctx, func(s *Session) error {
		var failed []error
		for _, ref := range refs {
			err := s.Interrupted()
			if err == nil {
				err = check(s, ref)
			} else {
				err = fmt.Errorf("not measured: %w", err)
			}
			if err != nil {
				failed = append(failed, &failure{ref.run.Path, err})
			}
		}
		return errors.Join(failed...)
	})
}

// check measures one reference.
func (s *Session) check(ref reference, o Options, show func(report.Check) error) error {
	if err := o.chooseEngine(ref.scenario); err != nil {
		return err
	}
	if err := s.preflight(ref.scenario, false); err != nil {
		return err
	}
	if err := s.admitTargets(ref.scenario, nil); err != nil {
		return err
	}
	name := ref.scenario.Name
	fmt.Fprintf(s.Err, "%s: %d repetitions\n", name, ref.scenario.Repetitions)
	o.Out = filepath.Join(o.Out, stamp(time.Now())+"-check-"+name)
	runs, err := s.measure(ref.scenario, o)
	if len(runs) == 0 {
		return err
	}
	found := report.Check{Reference: report.New(ref.run), Here: report.New(runs[0])}
	return errors.Join(err, show(found), ExitError(found.Here))
}

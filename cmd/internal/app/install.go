package app

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"

	"pushbench/bench/supervise"
	"pushbench/results"
	"pushbench/scenarios"
)

// InstallTargets installs what the servers of targets need, and builds them: those of the names or files; without
// one, all in TargetsFolder. A failure does not stop the others.
func (e Env) InstallTargets(ctx context.Context, names []string) error {
	if len(names) == 0 {
		if names = shippedTargets()[1:]; len(names) == 0 {
			return Usagef("no folder %s here; allowed: run this in a checkout of pushbench, or name a target file", TargetsFolder)
		}
	}
	var all []*scenarios.Target
	for _, name := range names {
		t, err := loadTarget("target install", name)
		if err != nil {
			return err
		}
		all = append(all, t)
	}
	var failed []string
	for _, t := range all {
		if t.URL != "" {
			fmt.Fprintf(e.Out, "%s: nothing to install: url names a server that is running\n", t.Name)
			continue
		}
		err := supervise.Install(ctx, t)
		if ctx.Err() != nil {
			return err
		}
		if err != nil {
			fmt.Fprintf(e.Err, "%s: not installed: %s\n", t.Name, results.Plain(err.Error()))
			failed = append(failed, string(t.Name))
			continue
		}
		fmt.Fprintf(e.Out, "%s: installed\n", t.Name)
	}
	if len(failed) > 0 {
		return &Error{Refused, fmt.Errorf("%d of %d targets are not installed: %s", len(failed), len(all), strings.Join(failed, ", "))}
	}
	return nil
}

// installed returns an error if a program of a target's server is missing.
func installed(t *scenarios.Target) error {
	missing := strings.Join(supervise.Missing(t), ", ")
	switch {
	case missing == "":
		return nil
	case len(t.Start.Install) == 0:
		return &Error{Refused, fmt.Errorf("%s: start.programs: %s is not installed", t.Name, missing)}
	}
	name := t.Path
	if shipped, err := filepath.Abs(filepath.Join(TargetsFolder, string(t.Name), targetFile)); err == nil && shipped == t.Path {
		name = string(t.Name)
	}
	return &Error{Refused, fmt.Errorf("%s: start.programs: %s is not installed; to install it: pushbench target install %s", t.Name, missing, name)}
}

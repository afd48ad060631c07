package supervise

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"pushbench/scenarios"
)

// commandWithin is the longest time that a build or an installation may take.
const commandWithin = 15 * time.Minute

// Missing lists the programs of a target that are not installed.
func Missing(t *scenarios.Target) (programs []string) {
	for _, program := range t.Start.Programs {
		if !installed(program) {
			programs = append(programs, program)
		}
	}
	return programs
}

// installed looks for a file, or for a program in PATH and in the folders of servers, which PATH lacks for users
// other than root.
func installed(program string) bool {
	if _, err := exec.LookPath(program); err == nil {
		return true
	}
	for _, folder := range []string{"", "/usr/sbin", "/usr/local/sbin"} {
		path := filepath.Join(folder, program)
		if _, err := os.Stat(path); err == nil && filepath.IsAbs(path) {
			return true
		}
	}
	return false
}

// Install installs the programs of a target if one is missing, and builds its server.
func Install(ctx context.Context, t *scenarios.Target) error {
	if len(Missing(t)) > 0 {
		if err := command(ctx, t, "start.install", t.Start.Install); err != nil {
			return err
		}
	}
	if missing := Missing(t); len(missing) > 0 {
		return fmt.Errorf("start.programs: %s is not installed", strings.Join(missing, ", "))
	}
	return Build(ctx, t)
}

// Build runs the command that builds or installs a target's server; nothing if it has none.
func Build(ctx context.Context, t *scenarios.Target) error {
	return command(ctx, t, "start.build", t.Start.Build)
}

// command runs a command of a target to its end; nothing if it is empty.
func command(ctx context.Context, t *scenarios.Target, field string, words []scenarios.Template) (err error) {
	if len(words) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, commandWithin)
	defer cancel()
	var argv []string
	for _, word := range words {
		argv = append(argv, expand(word, 0))
	}
	output := tail(t)
	c := exec.CommandContext(ctx, argv[0], argv[1:]...)
	if c.Dir, err = folder(t); err != nil {
		return err
	}
	c.Stdout, c.Stderr, c.Env = &output, &output, os.Environ()
	if err := c.Run(); err != nil {
		return fmt.Errorf("%s: %s: %w%s", field, asWritten(words), plain(err, argv[0]), last(t, &output))
	}
	return nil
}

// folder is the working directory of a target's commands.
func folder(t *scenarios.Target) (string, error) {
	path := filepath.Join(filepath.Dir(t.Path), t.Start.Folder)
	if info, err := os.Stat(path); err != nil || !info.IsDir() {
		return "", fmt.Errorf("start.folder: %q is not a folder; allowed: the path of a folder, relative to the target file", t.Start.Folder)
	}
	return path, nil
}

// asWritten is a command as its target file has it: without the values of environment variables.
func asWritten(words []scenarios.Template) string {
	var all []string
	for _, word := range words {
		all = append(all, string(word))
	}
	return strings.Join(all, " ")
}

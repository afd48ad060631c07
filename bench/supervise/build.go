package supervise

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"pushbench/bench/child"
	"pushbench/scenarios"
)

// buildWithin is the longest time that a build may take.
const buildWithin = 15 * time.Minute

// Build runs the command that builds or installs a target's server; nothing if it has none.
func Build(ctx context.Context, t *scenarios.Target) error {
	if len(t.Start.Build) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, buildWithin)
	defer cancel()
	var argv []string
	for _, word := range t.Start.Build {
		argv = append(argv, expand(word, 0))
	}
	var output child.Tail
	c := exec.CommandContext(ctx, argv[0], argv[1:]...)
	c.Dir, c.Stdout, c.Stderr, c.Env = folder(t), &output, &output, os.Environ()
	if err := c.Run(); err != nil {
		return fmt.Errorf("start.build: %s: %w%s", strings.Join(argv, " "), plain(err, argv[0]), last(&output))
	}
	return nil
}

// folder is the working directory of a target's commands.
func folder(t *scenarios.Target) string { return filepath.Join(filepath.Dir(t.Path), t.Start.Folder) }

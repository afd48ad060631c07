package main

import (
	"cmp"
	"debug/buildinfo"
	_ "embed"
	"fmt"
	"os"
	"regexp"
	"runtime"
	"runtime/debug"
	"strings"
	"sync"

	"github.com/spf13/cobra"

	"pushbench/results"
)

// release is the version of the next release, which CHANGELOG.md describes. A build of a tagged
// commit has the tag's version instead.
const release = "0.1.0"

func newVersionCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version of this pushbench, like --version",
		Args:  noArguments,
		RunE: func(c *cobra.Command, _ []string) error {
			_, err := fmt.Fprintln(c.OutOrStdout(), "pushbench", version())
			return err
		},
	}
}

// commitText is the commit in a source archive of git, and a placeholder elsewhere: see
// .gitattributes. GitHub downloads actions as such archives, without the folder .git.
//
//go:embed commit.txt
var commitText string

// archived is the commit that a source archive names; empty for a placeholder.
func archived(text string) string {
	if commit := strings.TrimSpace(text); commitHash.MatchString(commit) {
		return commit
	}
	return ""
}

var commitHash = regexp.MustCompile(`^([0-9a-f]{40}|[0-9a-f]{64})$`)

func version() string {
	t := tool()
	if t.Commit == "" {
		return t.Version
	}
	short := t.Commit[:min(12, len(t.Commit))]
	if t.Dirty {
		short += ", changed"
	}
	return t.Version + " (" + short + ")"
}

// tool identifies this executable.
func tool() results.Tool {
	t := results.Tool{GoVersion: runtime.Version()}
	if info, ok := debug.ReadBuildInfo(); ok {
		t = identify(info)
	}
	t.Version, t.Commit = cmp.Or(t.Version, release), cmp.Or(t.Commit, archived(commitText))
	return t
}

// tagged matches the module version of a build whose commit has a version tag. Other builds have
// "(devel)" or a pseudo-version.
var tagged = regexp.MustCompile(`^v(\d+\.\d+\.\d+)(\+dirty)?$`)

// identify reads the build information: the modules, and in a git checkout the commit (with
// -buildvcs=auto).
func identify(info *debug.BuildInfo) results.Tool {
	t := results.Tool{GoVersion: info.GoVersion, Modules: modules(info.Deps)}
	if m := tagged.FindStringSubmatch(info.Main.Version); m != nil {
		t.Version = m[1]
	}
	for _, setting := range info.Settings {
		switch setting.Key {
		case "vcs.revision":
			t.Commit = setting.Value
		case "vcs.modified":
			t.Dirty = setting.Value == "true"
		}
	}
	return t
}

// modules names the linked modules. A replacement follows the module that it replaces.
func modules(deps []*debug.Module) (names []string) {
	for _, m := range deps {
		name := m.Path + "@" + m.Version
		if m.Replace != nil {
			name += " => " + m.Replace.Path + "@" + m.Replace.Version
		}
		names = append(names, name)
	}
	return names
}

// hashed identifies this executable with its checksum, which is slow to compute.
var hashed = sync.OnceValue(func() results.Tool {
	t := tool()
	path, err := os.Executable()
	if err != nil {
		return t
	}
	t.SHA256, _ = results.Checksum(path) // a measurement does not need it
	return t
})

// toolOf identifies another build of pushbench by its build information, without running it.
func toolOf(executable string) (results.Tool, error) {
	info, err := buildinfo.ReadFile(executable)
	if err != nil {
		return results.Tool{}, err
	}
	if own, ok := debug.ReadBuildInfo(); ok && own.Path != "" && info.Path != own.Path {
		return results.Tool{}, fmt.Errorf("it is %s, not %s", info.Path, own.Path)
	}
	t := identify(info)
	t.SHA256, err = results.Checksum(executable)
	return t, err
}

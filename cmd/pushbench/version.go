package main

import (
	"debug/buildinfo"
	"fmt"
	"os"
	"regexp"
	"runtime"
	"runtime/debug"

	"pushbench/results"
)

// release is the version of the next release; CHANGELOG.md says what is in it.
const release = "0.1.0"

// commit and dirty are set by the Makefile's build; without it, by Go's stamp.
var commit, dirty string

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
	t := results.Tool{Version: release, Commit: commit, Dirty: dirty == "true", GoVersion: runtime.Version()}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return t
	}
	t.Modules = modules(info.Deps)
	if t.Commit != "" {
		return t
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

// modules names what is linked in; a replacement stands after what it replaces.
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

// hashed adds the checksum of this executable, which takes a while to compute.
func hashed(t results.Tool) results.Tool {
	path, err := os.Executable()
	if err != nil {
		return t
	}
	t.SHA256, _ = results.Checksum(path) // who measures is not stopped by not knowing this
	return t
}

// stamped finds what the Makefile's build writes into an executable.
var stamped = regexp.MustCompile(`-X main\.(commit|dirty)=([0-9a-z]*)`)

// toolOf identifies another build of pushbench by what Go wrote into it, without
// running it.
func toolOf(executable string) (results.Tool, error) {
	info, err := buildinfo.ReadFile(executable)
	if err != nil {
		return results.Tool{}, err
	}
	if own, ok := debug.ReadBuildInfo(); ok && own.Path != "" && info.Path != own.Path {
		return results.Tool{}, fmt.Errorf("it is %s, not %s", info.Path, own.Path)
	}
	t := results.Tool{GoVersion: info.GoVersion, Modules: modules(info.Deps)}
	settings := map[string]string{}
	for _, s := range info.Settings {
		settings[s.Key] = s.Value
	}
	t.Commit, t.Dirty = settings["vcs.revision"], settings["vcs.modified"] == "true"
	for _, m := range stamped.FindAllStringSubmatch(settings["-ldflags"], -1) {
		switch m[1] {
		case "commit":
			t.Commit = m[2]
		case "dirty":
			t.Dirty = m[2] == "true"
		}
	}
	t.SHA256, err = results.Checksum(executable)
	return t, err
}

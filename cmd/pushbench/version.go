package main

import (
	"crypto/sha256"
	"encoding/hex"
	"io"
	"os"
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

// hashed adds the checksum of the executable, which takes a while to compute.
func hashed(t results.Tool) results.Tool {
	path, err := os.Executable()
	if err != nil {
		return t
	}
	f, err := os.Open(path)
	if err != nil {
		return t
	}
	defer f.Close()
	sum := sha256.New()
	if _, err := io.Copy(sum, f); err == nil {
		t.SHA256 = hex.EncodeToString(sum.Sum(nil))
	}
	return t
}

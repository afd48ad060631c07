package main

import (
	"runtime/debug"
	"testing"
)

// Only a tag is a version: a pseudo-version repeats the commit, which is recorded anyway.
func TestBuildInformationIdentifiesABuild(t *testing.T) {
	for module, want := range map[string]string{
		"v1.2.3":                               "1.2.3",
		"v1.2.3+dirty":                         "1.2.3",
		"(devel)":                              "",
		"":                                     "",
		"v1.2.4-0.20261130024117-400875a25611": "",
		"v0.0.0-20261130024117-400875a25611+dirty":   "",
		"v1.2.3-rc.1.0.20261130024117-400875a256112": "",
	} {
		got := identify(&debug.BuildInfo{
			GoVersion: "go1.26.8", Main: debug.Module{Version: module},
			Settings: []debug.BuildSetting{{Key: "vcs.revision", Value: "400875a2561190e1"}, {Key: "vcs.modified", Value: "true"}},
		})
		if got.Version != want || got.Commit != "400875a2561190e1" || !got.Dirty || got.GoVersion != "go1.26.8" {
			t.Errorf("%q: got %+v, want the version %q, the commit and that it was changed", module, got, want)
		}
	}
}

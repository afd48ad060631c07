package main

import (
	"runtime/debug"
	"strings"
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

// A build of a source archive knows its commit only from commit.txt.
func TestArchiveNamesItsCommit(t *testing.T) {
	sha1, sha256 := strings.Repeat("0a", 20), strings.Repeat("0a", 32)
	for text, want := range map[string]string{
		sha1 + "\n": sha1, sha256: sha256,
		"$Format:%H$\n": "", "": "", sha1[1:]: "", sha1 + "; rm": "",
	} {
		if got := archived(text); got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
	if attributes := readPage(t, ".gitattributes"); !strings.Contains(attributes, "\ncmd/pushbench/commit.txt export-subst\n") {
		t.Error(".gitattributes does not make git archive write the commit into commit.txt")
	}
}

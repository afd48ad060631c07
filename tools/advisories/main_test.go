package main

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"unicode"

	"golang.org/x/mod/semver"
)

func TestAdvisoriesOfPinnedVersionsAreFound(t *testing.T) {
	documents := map[string]string{
		"/index/modules.json": `[{"path":"a.example/m","vulns":[{"id":"GO-1","fixed":"1.2.0"},{"id":"GO-2","fixed":"1.1.0"},{"id":"GO-3"}]},{"path":"other.example","vulns":[{"id":"GO-4"}]}]`,
		"/ID/GO-1.json":       `{"summary":"first","affected":[{"package":{"name":"a.example/m"},"ranges":[{"events":[{"introduced":"0"},{"fixed":"1.0.5"},{"introduced":"1.1.0"},{"fixed":"1.2.0"}]}]}]}`,
		"/ID/GO-3.json":       `{"summary":"third","affected":[{"package":{"name":"a.example/m"},"ranges":[{"events":[{"introduced":"1.1.5"}]}]}]}`,
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if text, ok := documents[r.URL.Path]; ok {
			_, _ = w.Write([]byte(text))
			return
		}
		http.NotFound(w, r)
	}))
	defer server.Close()
	for version, want := range map[string][]string{
		"v1.1.9": {`a.example/m v1.1.9: GO-1 "first", fixed in "1.2.0"`, `a.example/m v1.1.9: GO-3 "third", fixed in ""`},
		"v1.1.0": {`a.example/m v1.1.0: GO-1 "first", fixed in "1.2.0"`},
		"v1.3.0": {`a.example/m v1.3.0: GO-3 "third", fixed in ""`},
	} {
		got, err := find(server.URL, map[string][]string{"a.example/m": {version}})
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("%s: got %q, %v, want %q", version, got, err, want)
		}
	}
	if got, err := find(server.URL, map[string][]string{"a.example/m": {"v1.1.0"}}); err != nil || len(got) != 1 {
		t.Errorf("got %q, %v, want one advisory", got, err)
	}
	if got, err := find(server.URL, map[string][]string{"other.example": {"v1.0.0"}}); err == nil {
		t.Errorf("got %q although an advisory cannot be read", got)
	}
}

// A database that cannot be reached is no clean result.
func TestUnreachableDatabaseIsSaid(t *testing.T) {
	server := httptest.NewServer(http.NotFoundHandler())
	server.Close()
	var stdout, stderr strings.Builder
	if code := run(server.URL, nil, &stdout, &stderr); code != 2 || stdout.Len() > 0 || !strings.Contains(stderr.String(), "advisories: nothing is known about 1 modules, as the database cannot be read: ") {
		t.Errorf("exit code %d, %q, %q", code, stdout.String(), stderr.String())
	}
}

// The database has prereleases of Go as versions of modules. A build from source has no advisories that could be known.
func TestVersionsOfGoAreThoseOfTheDatabase(t *testing.T) {
	for goes, want := range map[string]string{
		"go1.26": "v1.26.0", "go1.26.1": "v1.26.1", "go1.26rc2": "v1.26.0-rc.2", "go1.26beta1": "v1.26.0-beta.1", "go1.26.1 X:nodwarf5": "v1.26.1",
		"devel go1.27-0123abc Tue Dec 1": "devel go1.27-0123abc Tue Dec 1", "go1.26-custom": "go1.26-custom",
	} {
		if got := release(goes); got != want || strings.HasPrefix(want, "v") != semver.IsValid(got) {
			t.Errorf("%s: got %q, want %q", goes, got, want)
		}
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, `[{"path":"stdlib","vulns":[{"id":"GO-1","fixed":"1.2.0"}]}]`)
	}))
	defer server.Close()
	if got, err := find(server.URL, map[string][]string{"stdlib": {"devel"}}); err == nil || err.Error() != `the version "devel" of stdlib is not one of a release` {
		t.Errorf("got %q, %v", got, err)
	}
}

func TestEventsMayComeInAnyOrder(t *testing.T) {
	for text, want := range map[string]bool{
		`{"introduced":"0"},{"fixed":"1.0.5"},{"introduced":"1.1.0"}`: true,
		`{"introduced":"1.1.0"},{"fixed":"1.0.5"},{"introduced":"0"}`: true,
		`{"fixed":"1.2.0"},{"introduced":"1.1.0"}`:                    false,
		`{"introduced":"0"},{"fixed":"soon"}`:                         true,
		`{"introduced":"soon"}`:                                       true,
		`{"introduced":"1.3.0"}`:                                      false,
	} {
		var a advisory
		if err := json.Unmarshal([]byte(`{"affected":[{"package":{"name":"m"},"ranges":[{"events":[`+text+`]}]}]}`), &a); err != nil {
			t.Fatal(err)
		}
		if got := a.affects("m", "v1.2.0"); got != want {
			t.Errorf("%s: affected %t, want %t", text, got, want)
		}
	}
}

// FuzzFind checks that no document of the database makes an advisory go unnoticed, depends on the order of its events, or
// prints what is no text.
func FuzzFind(f *testing.F) {
	const index = `[{"path":"m","vulns":[{"id":"GO-1","fixed":"1.2.0"}]}]`
	f.Add(index, `{"summary":"first","affected":[{"package":{"name":"m"},"ranges":[{"events":[{"introduced":"0"},{"fixed":"1.0.5"},{"introduced":"1.1.0"},{"fixed":"1.2.0"}]}]}]}`, "v1.1.9")
	f.Add(`[{"path":"m","vulns":[{"id":"\u001b"}]}]`, `{"summary":"\u001b]0;x","affected":[{"package":{"name":"m"},"ranges":[{"events":[{"introduced":"0"}]}]}]}`, "v1.0.0-rc.1")
	f.Add(`[{"path":"m","vulns":[{"id":"GO-1","fixed":"x"}]}]`, `{"affected":[{"package":{"name":"m"},"ranges":[{"events":[{"fixed":"x"},{"introduced":"y"}]}]}]}`, "v1.0.0+incompatible")
	f.Add(index, `{}`, "devel")
	var documents [2]string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		at := 1
		if strings.HasPrefix(r.URL.Path, "/index/") {
			at = 0
		}
		_, _ = io.WriteString(w, documents[at])
	}))
	defer server.Close()
	f.Fuzz(func(t *testing.T, index, document, version string) {
		documents = [2]string{index, document}
		lines, err := find(server.URL, map[string][]string{"m": {version}})
		for _, line := range lines {
			if !strings.HasPrefix(line, "m "+version+": ") || strings.ContainsFunc(line, func(r rune) bool { return !unicode.IsPrint(r) }) {
				t.Errorf("printed %q", line)
			}
		}
		if err != nil && len(lines) > 0 || len(lines) > 0 && !semver.IsValid(version) {
			t.Errorf("%s: got %q, %v", version, lines, err)
		}
		var a, reversed advisory
		if json.Unmarshal([]byte(document), &a) != nil || json.Unmarshal([]byte(document), &reversed) != nil || !semver.IsValid(version) {
			return
		}
		must := false // a range that begins with the first version, and has no end
		for _, of := range reversed.Affected {
			for _, r := range of.Ranges {
				slices.Reverse(r.Events)
				first, ends := false, false
				for _, e := range r.Events {
					first, ends = first || e.Introduced == "0", ends || e.Fixed != ""
				}
				must = must || of.Package.Name == "m" && first && !ends
			}
		}
		got := a.affects("m", version)
		if got != reversed.affects("m", version) || must && !got {
			t.Errorf("%s: %s affects it: %t; it must: %t", version, document, got, must)
		}
	})
}

package main

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
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

// Command advisories lists the advisories of the public Go vulnerability database (https://go.dev/doc/security/vuln) for
// the modules that the given folders pin, and for their Go version. It asks for advisories by module, so that it
// may name one of a function that nothing here calls. Exit codes: 0 for none, 1 for some, 2 if it cannot know.
package main

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"time"

	"golang.org/x/mod/semver"
)

// database is the address of the database: https://go.dev/doc/security/vuln/database.
const database = "https://vuln.go.dev"

func main() { os.Exit(run(database, os.Args[1:], os.Stdout, os.Stderr)) }

func run(database string, folders []string, stdout, stderr io.Writer) int {
	pinned, err := modules(folders)
	if err != nil {
		fmt.Fprintln(stderr, "advisories:", err)
		return 2
	}
	found, err := find(database, pinned)
	if err != nil {
		fmt.Fprintf(stderr, "advisories: nothing is known about %d modules, as the database cannot be read: %v\n", len(pinned), err)
		return 2
	}
	for _, line := range found {
		fmt.Fprintln(stdout, line)
	}
	fmt.Fprintf(stdout, "%d advisories for %d modules\n", len(found), len(pinned))
	return min(len(found), 1)
}

// modules returns the version of each module that a folder's build uses, and of the standard library.
func modules(folders []string) (map[string][]string, error) {
	pinned := map[string][]string{"stdlib": {release(runtime.Version())}}
	for _, folder := range folders {
		var failed bytes.Buffer
		list := exec.Command("go", "-C", folder, "list", "-m", "-f", "{{if .Version}}{{.Path}} {{.Version}}{{end}}", "all")
		list.Stderr = &failed
		out, err := list.Output()
		if err != nil {
			return nil, fmt.Errorf("list the modules of %s: %w: %s", folder, err, failed.Bytes())
		}
		for line := range strings.Lines(string(out)) {
			path, version, _ := strings.Cut(strings.TrimSpace(line), " ")
			if path != "" && !slices.Contains(pinned[path], version) {
				pinned[path] = append(pinned[path], version)
			}
		}
	}
	return pinned, nil
}

var goVersion = regexp.MustCompile(`^go([0-9]+\.[0-9]+)(\.[0-9]+)?(?:(beta|rc)([0-9]+))?(?: |$)`)

// release returns a version of Go as the database has it, such as v1.26.0-rc.1 for go1.26rc1. One that is no release, such
// as that of a build from source, is no version.
func release(goes string) string {
	found := goVersion.FindStringSubmatch(goes)
	if found == nil {
		return goes
	}
	version := "v" + found[1] + cmp.Or(found[2], ".0")
	if found[3] != "" {
		version += "-" + found[3] + "." + found[4]
	}
	return version
}

var advisoryID = regexp.MustCompile(`^[A-Z]+(-[0-9]+)+$`)

// find returns a line per advisory that affects a pinned version, in the order of modules.
func find(database string, pinned map[string][]string) (lines []string, err error) {
	var index []struct {
		Path  string
		Vulns []struct{ ID, Fixed string }
	}
	if err := get(database+"/index/modules.json", &index); err != nil {
		return nil, err
	}
	if len(index) == 0 {
		return nil, errors.New("its index is empty")
	}
	for _, module := range index {
		for _, version := range pinned[module.Path] {
			if !semver.IsValid(version) {
				return nil, fmt.Errorf("the version %q of %s is not one of a release", version, module.Path)
			}
			for _, v := range module.Vulns {
				if reached(version, v.Fixed) {
					continue // the newest fix is older
				}
				if !advisoryID.MatchString(v.ID) {
					return nil, fmt.Errorf("its index has the advisory %q", v.ID)
				}
				var a advisory
				if err := get(database+"/ID/"+v.ID+".json", &a); err != nil {
					return nil, err
				}
				if a.affects(module.Path, version) {
					lines = append(lines, fmt.Sprintf("%s %s: %s %q, fixed in %q", module.Path, version, v.ID, a.Summary, v.Fixed))
				}
			}
		}
	}
	return lines, nil
}

// An advisory has the parts of the OSV format (https://ossf.github.io/osv-schema) that are needed here.
type advisory struct {
	Summary  string
	Affected []struct {
		Package struct{ Name string }
		Ranges  []struct {
			Events []struct{ Introduced, Fixed string }
		}
	}
}

// affects reports whether a version is affected: in a range, the last event that it has reached counts. Events may come in
// any order, and one with a version that cannot be read clears nothing.
func (a advisory) affects(path, version string) bool {
	for _, of := range a.Affected {
		if of.Package.Name != path {
			continue
		}
		for _, r := range of.Ranges {
			introduced, fixed := "", ""
			for _, e := range r.Events {
				switch {
				case e.Introduced == "0", e.Introduced != "" && !semver.IsValid("v"+e.Introduced):
					introduced = cmp.Or(introduced, "v0.0.0-0")
				case reached(version, e.Introduced):
					introduced = later(introduced, "v"+e.Introduced)
				}
				if reached(version, e.Fixed) {
					fixed = later(fixed, "v"+e.Fixed)
				}
			}
			if introduced != "" && semver.Compare(introduced, fixed) > 0 {
				return true
			}
		}
	}
	return false
}

func later(a, b string) string {
	if semver.Compare(a, b) > 0 {
		return a
	}
	return b
}

// reached reports whether a version is at least another one without its v, which may be none.
func reached(version, other string) bool {
	return semver.IsValid("v"+other) && semver.Compare(version, "v"+other) >= 0
}

var client = http.Client{Timeout: 30 * time.Second}

// get decodes a document of the database.
func get(url string, v any) error {
	response, err := client.Get(url)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: status %d", url, response.StatusCode)
	}
	const limit = 64 << 20
	return json.NewDecoder(io.LimitReader(response.Body, limit)).Decode(v)
}

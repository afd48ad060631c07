// Command advisories lists the advisories of the public Go vulnerability database (https://go.dev/doc/security/vuln) for
// the modules that the given folders pin, and for their Go version. It asks for advisories by module, so that it
// may name one of a function that nothing here calls. Exit codes: 0 for none, 1 for some, 2 if it cannot know.
package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
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
	pinned := map[string][]string{"stdlib": {"v" + strings.TrimPrefix(strings.Fields(runtime.Version())[0], "go")}}
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
			for _, v := range module.Vulns {
				if v.Fixed != "" && semver.Compare(version, "v"+v.Fixed) >= 0 {
					continue // the newest fix is older
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

func (a advisory) affects(path, version string) (affected bool) {
	for _, of := range a.Affected {
		if of.Package.Name != path {
			continue
		}
		for _, r := range of.Ranges {
			in := false
			for _, e := range r.Events { // in ascending order
				if e.Introduced != "" && (e.Introduced == "0" || semver.Compare(version, "v"+e.Introduced) >= 0) {
					in = true
				}
				if e.Fixed != "" && semver.Compare(version, "v"+e.Fixed) >= 0 {
					in = false
				}
			}
			affected = affected || in
		}
	}
	return affected
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

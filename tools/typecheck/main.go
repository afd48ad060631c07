// Command typecheck reports type errors of the packages and tests below this folder for each named system, such as
// darwin/arm64. go vet for another system first compiles everything that a package imports, which took a minute of
// CPU time per system; the types of imported packages need no compiled code.
package main

import (
	"fmt"
	"os"
	"strings"

	"golang.org/x/tools/go/packages"
)

func main() {
	if len(os.Args) < 2 {
		fmt.Fprintln(os.Stderr, "usage: typecheck SYSTEM/PROCESSOR …")
		os.Exit(2)
	}
	failed := false
	for _, system := range os.Args[1:] {
		found, err := check(".", system)
		if err != nil {
			fmt.Fprintln(os.Stderr, "typecheck:", err)
			os.Exit(2)
		}
		for _, line := range found {
			failed = true
			fmt.Printf("%s: %s\n", system, line)
		}
	}
	if failed {
		os.Exit(1)
	}
}

// check returns the errors of the packages below folder, tests included, for a system.
func check(folder, system string) ([]string, error) {
	goos, goarch, ok := strings.Cut(system, "/")
	if !ok {
		return nil, fmt.Errorf("%q is no system; allowed: a system and a processor, such as darwin/arm64", system)
	}
	loaded, err := packages.Load(&packages.Config{
		Mode:  packages.NeedName | packages.NeedFiles | packages.NeedCompiledGoFiles | packages.NeedImports | packages.NeedDeps | packages.NeedTypes | packages.NeedSyntax | packages.NeedTypesInfo,
		Dir:   folder,
		Env:   append(os.Environ(), "GOOS="+goos, "GOARCH="+goarch, "CGO_ENABLED=0"),
		Tests: true,
	}, "./...")
	if err != nil {
		return nil, fmt.Errorf("%s: %w", system, err)
	}
	var found []string
	seen := map[string]bool{} // a package is loaded again with its tests
	packages.Visit(loaded, nil, func(p *packages.Package) {
		for _, e := range p.Errors {
			if !seen[e.Error()] {
				seen[e.Error()] = true
				found = append(found, e.Error())
			}
		}
	})
	return found, nil
}

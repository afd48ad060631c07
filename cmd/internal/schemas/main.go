// Schemas writes the JSON Schemas of scenarios and of the files in run folders, and docs/scenarios.md, from
// the Go types, their struct tags and their comments, and docs/targets/README.md from the target files. It runs in go generate, so that pushbench itself contains
// finished files and neither parses Go nor reflects on its types.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"reflect"

	"github.com/invopop/jsonschema"

	"pushbench/results"
)

//go:generate go run .

// root is the module's root, relative to the folder in which go generate runs a package's commands.
const root = "../../.."

const scenarioPage = "docs/scenarios.md"

func main() {
	if err := write(); err != nil {
		fmt.Fprintln(os.Stderr, "schemas:", err)
		os.Exit(1)
	}
}

func write() error {
	files, err := generate()
	if err != nil {
		return err
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(root, name), text, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// generate returns the text of each schema and page by the path of its file in the module.
func generate() (map[string][]byte, error) {
	schemas := map[string]*jsonschema.Schema{}
	docs, err := readComments("scenarios", "results/metric", "results/price")
	if err != nil {
		return nil, err
	}
	schemas["scenarios/scenario.schema.json"], schemas["scenarios/target.schema.json"] = docs.scenario(), docs.target()
	files := map[string][]byte{}
	if files[scenarioPage], err = docs.page(); err != nil {
		return nil, err
	}
	if files[targetPage], err = targetTable(); err != nil {
		return nil, err
	}
	if docs, err = readComments("results", "results/metric", "results/price"); err != nil {
		return nil, err
	}
	for of, value := range map[string]any{"manifest": results.Manifest{}, "trial": results.Trial{}, "interval": results.Interval{}} {
		schemas["results/"+of+".schema.json"] = docs.result(of, reflect.TypeOf(value))
	}
	for name, s := range schemas {
		text, err := json.MarshalIndent(s, "", "  ")
		if err != nil {
			return nil, fmt.Errorf("write %s: %w", name, err)
		}
		files[name] = append(text, '\n')
	}
	return files, nil
}

// Package foreign has target files of servers that are not pushbench's own.
package foreign

import (
	"embed"
	"io/fs"
	"path"
)

//go:embed */target.yaml
var files embed.FS

// Names lists the targets, in alphabetical order.
func Names() (names []string) {
	found, _ := fs.Glob(files, "*/target.yaml") // the pattern is valid
	for _, file := range found {
		names = append(names, path.Dir(file))
	}
	return names
}

// Source returns the target file of a name of Names.
func Source(name string) ([]byte, error) { return files.ReadFile(path.Join(name, "target.yaml")) }

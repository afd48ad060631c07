package scenarios

import (
	"fmt"
	"slices"
	"strings"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/token"

	"pushbench/results/metric"
)

// A rename is a deprecated name in a file: of a field, of a word, or of a metric or an axis in an assertion.
type rename struct {
	at       *token.Position
	old, now string
}

// deprecate records a deprecated name at its first position.
func (d *document) deprecate(at *token.Position, old, now string) {
	if !slices.ContainsFunc(d.renamed, func(r rename) bool { return r.old == old && r.now == now }) {
		d.renamed = append(d.renamed, rename{at, old, now})
	}
}

// warnings returns at most one line, about the deprecated names in the file.
func (d *document) warnings() []string {
	if len(d.renamed) == 0 {
		return nil
	}
	first, others := d.renamed[0], ""
	if more := d.renamed[1:]; len(more) > 0 {
		var names []string
		for _, r := range more {
			names = append(names, fmt.Sprintf("%q: %q", r.old, r.now))
		}
		plural := "s"
		if len(more) == 1 {
			plural = ""
		}
		others = fmt.Sprintf(" (and %d more old name%s: %s)", len(more), plural, strings.Join(names, ", "))
	}
	return []string{fmt.Sprintf("%s:%d:%d: %q is deprecated: use %q%s", filename(d.file), first.at.Line, first.at.Column, first.old, first.now, others)}
}

// modernKey replaces the deprecated name of a field by the current one.
func (d *document) modernKey(key ast.MapKeyNode, f *Rule) {
	t := key.GetToken()
	d.deprecate(t.Position, t.Value, f.Name)
	setText(key, f.Name)
}

// modern returns the text of a scalar with current names in place of deprecated ones.
func (d *document) modern(r *Rule, t *token.Token, text string) string {
	if now, old := r.Renamed[text]; old {
		d.deprecate(t.Position, text, now)
		return now
	}
	if r.grammar == nil {
		return text
	}
	for _, word := range metric.Renamed(text) {
		d.deprecate(t.Position, word[0], word[1])
	}
	return metric.CurrentNames(text)
}

// setText sets the text of a node. The library looks up paths by the token, and reads values from the
// node.
func setText(n ast.Node, text string) {
	n.GetToken().Value = text
	if s, ok := n.(*ast.StringNode); ok {
		s.Value = text
	}
}

package scenarios

import (
	"fmt"
	"slices"
	"strings"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/token"

	"pushbench/results/metric"
)

// A rename is a deprecated name in a file: of a field, of a word, or of an axis in an assertion.
type rename struct {
	at       *token.Position
	old, now string
}

// deprecate records a deprecated name at its first position.
func (d *document) deprecate(at *token.Position, old, now string) {
	if !slices.ContainsFunc(d.renamed, func(r rename) bool { return r.old == old }) {
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
	for _, axis := range metric.RenamedAxes(text) {
		d.deprecate(t.Position, axis[0], axis[1])
	}
	return metric.CurrentNames(text)
}

// former replaces each current name in a tree by its deprecated one. It is the inverse of check's
// replacements.
func (r *Rule) former(n ast.Node) {
	switch n := n.(type) {
	case *ast.MappingNode:
		for _, pair := range n.Values {
			i := slices.Index(r.names(), pair.Key.GetToken().Value)
			r.Fields[i].former(pair.Value)
			if was := r.Fields[i].Was; was != "" {
				setText(pair.Key, was)
			}
		}
	case *ast.SequenceNode:
		for _, item := range n.Values {
			r.Item.former(item)
		}
	default:
		text := scalar(n)
		for was, now := range r.Renamed {
			if *text == now {
				*text = was
			}
		}
		if r.grammar != nil {
			*text = metric.FormerNames(*text)
		}
	}
}

// setText sets the text of a node. The library looks up paths by the token, and reads values from the
// node.
func setText(n ast.Node, text string) {
	n.GetToken().Value = text
	if s, ok := n.(*ast.StringNode); ok {
		s.Value = text
	}
}

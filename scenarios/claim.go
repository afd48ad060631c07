package scenarios

import (
	"errors"
	"fmt"
	"unicode/utf8"

	"github.com/goccy/go-yaml/ast"
	"github.com/invopop/jsonschema"

	"pushbench/results/metric"
)

// ParseAssertion reads a claim or a need. Its errors complete a sentence.
func ParseAssertion(text string) (metric.Assertion, error) { return grammar().Assertion(text) }

func grammar() metric.Grammar {
	g := metric.Grammar{Hint: didYouMean}
	for _, t := range AllTransports {
		g.Transports = append(g.Transports, string(t))
	}
	return g
}

// A sentenceRule reads a text that has a grammar of its own.
type sentenceRule[T any] struct {
	target  *T
	allowed string
	cannot  string                  // what a text that breaks the grammar cannot be used for
	parse   func(string) (T, error) // says what is wrong
}

func (r sentenceRule[T]) allows() string { return r.allowed }

func (r sentenceRule[T]) read(d *document, path string, n ast.Node) (err error) {
	text, ok := scalarText(n)
	if !ok || !worded(n) || utf8.RuneCountInString(text) > maxProse {
		return d.refuse(path, n, r.allowed, "")
	}
	if *r.target, err = r.parse(text); err != nil {
		p := position(n)
		return &Error{File: d.file, Line: p.Line, Column: p.Column, Field: path, Value: quote(text), Message: "cannot be " + r.cannot + " a run: " + err.Error()}
	}
	return nil
}

func (r sentenceRule[T]) schema() *jsonschema.Schema {
	most := uint64(maxProse)
	return &jsonschema.Schema{Type: "string", MaxLength: &most}
}

// valueOf is a configuration and a metric, as text and taken apart.
func valueOf(text, configuration, name *string) rule {
	return sentenceRule[string]{
		target: text, cannot: "found in",
		allowed: "a case and a metric, such as \"websocket p(99)\" or \"longpoll rtt=100ms avg\"",
		parse: func(text string) (_ string, err error) {
			*configuration, *name, err = grammar().Value(text)
			return oneLine(text), err
		},
	}
}

const (
	claimAllowed = "a figure, one of < <= > >= == !=, and a bound, such as \"lost == 0\", \"websocket p(99) < 50ms\" or \"sse p(99) < 0.5 * shortpoll\""
	needAllowed  = "a metric, one of < <= > >= == !=, and a bound, such as \"p(99) < 50ms\" or \"lost == 0\""
)

// claimOf is one claim. A need says what any transport must do: it names none.
func claimOf(target *metric.Assertion, need bool) sentenceRule[metric.Assertion] {
	r := sentenceRule[metric.Assertion]{target: target, cannot: "held against", allowed: claimAllowed, parse: ParseAssertion}
	if need {
		r.allowed = needAllowed
		r.parse = func(text string) (metric.Assertion, error) {
			a, err := ParseAssertion(text)
			if err == nil && (a.Case != "" || a.OtherCase != "") {
				err = errors.New("a need is of whichever transport is to be chosen, so it names none")
			}
			return a, err
		}
	}
	return r
}

// claims are what a run must find; needs what a transport must do to be chosen.
func claims(target *[]metric.Assertion, need bool) rule {
	return list[metric.Assertion]{
		target: target, most: maxClaims,
		item:     func(a *metric.Assertion) rule { return claimOf(a, need) },
		distinct: func(a metric.Assertion) string { return a.Text },
		allowed:  fmt.Sprintf("a list of 1 to %d of: %s", maxClaims, claimOf(nil, need).allows()),
		initial:  func(all []metric.Assertion) any { return all },
	}
}

// Unmeasured are the claims that name none of the cases that a repetition measures.
func (s *Scenario) Unmeasured(cases []Case) (missing []metric.Assertion) {
	measured := map[string]bool{"": true}
	for _, c := range cases {
		measured[c.Name()] = true
	}
	for _, a := range s.Claims {
		if !measured[a.Case] || !measured[a.OtherCase] {
			missing = append(missing, a)
		}
	}
	return missing
}

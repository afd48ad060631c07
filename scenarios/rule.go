package scenarios

import (
	"cmp"
	"encoding"
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/goccy/go-yaml"

	"pushbench/results/metric"
	"pushbench/results/price"
	"pushbench/scenarios/transports"
)

// A Rule defines the values that a field of a scenario may have. It is derived from the field's Go
// type and these struct tags:
//
//	was:"stack"          the deprecated name of the field, which is accepted with a warning
//	required:"true"      the field must be in the file
//	default:"1s"         its value if it is not in the file, in YAML
//	min:"1ms" max:"1h"   limits of a number or quantity, or of each item of a list;
//	                     min:"1" of a mapping: at least one of its fields must be in the file
//	items:"8"            the most items of a list, which has at least one and no duplicates
//	repeats:"true"       a list that may have duplicates
//	pattern:"^[a-z]+$"   the pattern of a text
//	length:"60"          the most characters of a text; default MaxProse
//	kind:"metric"        the row of kinds, if the type does not determine it
//	allowed:"…"          completes "allowed: " in errors, in place of the text of the type
//
// The reader and the generator of the JSON Schema share the rules.
type Rule struct {
	Name     string // in YAML
	Was      string // its deprecated name; "": none
	GoName   string
	Type     reflect.Type
	Required bool
	Default  string // "": none
	Min, Max string // "": no limit
	Pattern  string // "": any text
	Length   int    // most characters of a text without a pattern or words; otherwise 0
	Words    []string
	Renamed  map[string]string // deprecated words, and the current one for each

	Fields   []*Rule // if it is a mapping
	Item     *Rule   // if it is a list
	MaxItems int
	Repeats  bool // a list may have duplicates

	allowed     string // completes "allowed: "
	unit        string // suggested for a bare number; "": a value without units
	grammar     func(text string) error
	pattern     *regexp.Regexp
	least, most float64
}

// A kind describes all fields of a Go type.
type kind struct {
	what    string // completes "allowed: ", before the limits
	unit    string // suggested for a bare number
	pattern string
	words   []string
	renamed map[string]string       // deprecated words, and the current one for each
	grammar func(text string) error // checks a text; its errors complete a sentence
}

// Patterns of plain numbers. YAML 1.1 reads 010 as 8 and 1:30 as 90; here they are errors.
const (
	wholePattern   = `^-?(0|[1-9][0-9]*)$`
	decimalPattern = `^-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?$`
)

// MaxProse is the most characters of a text without a tag for its length.
const MaxProse = 500

// kinds has a row for each type of a value, and for each name in a kind tag. A new type of word or
// unit needs one more row.
var kinds = map[any]kind{
	reflect.TypeFor[bool]():             {what: "true, false", pattern: "^(true|false)$", words: []string{"false", "true"}},
	reflect.TypeFor[int]():              {what: "a whole number", pattern: wholePattern},
	reflect.TypeFor[uint64]():           {what: "a whole number", pattern: wholePattern},
	reflect.TypeFor[float64]():          {what: "a number", pattern: decimalPattern},
	reflect.TypeFor[string]():           {what: "at most LENGTH visible characters"},
	reflect.TypeFor[Duration]():         {what: "a duration with its unit", unit: "s", pattern: durationPattern.String()},
	reflect.TypeFor[Rate]():             {what: "a rate with its unit (/s, /min, /h)", unit: "/s", pattern: ratePattern.String()},
	reflect.TypeFor[Size]():             {what: "a size with its unit (B, kB, KiB)", unit: "B", pattern: sizePattern.String()},
	reflect.TypeFor[Percent]():          {what: "a percentage", unit: "%", pattern: percentPattern.String()},
	reflect.TypeFor[metric.ValueName](): {what: `a configuration and a metric, such as "websocket p(99)" or "longpoll rtt=100ms avg"`, grammar: asValue},
	reflect.TypeFor[Transport]():        oneOf(AllTransports...),
	reflect.TypeFor[Against]():          oneOf(append(transports.Names[Against](nil), AllPairs)...),
	reflect.TypeFor[Cost]():             oneOf(ByCPU, ByPrice),
	reflect.TypeFor[Purpose]():          oneOf(Purposes...),
	reflect.TypeFor[Delivery]():         oneOf(Every, Latest),
	reflect.TypeFor[Spread]():           oneOf(Even, Random, Zipf),
	reflect.TypeFor[Publisher]():        oneOf(ByClients, ByBackend, ByPublishOnly).formerly(map[string]string{"reporters": string(ByPublishOnly)}),
	reflect.TypeFor[Arrivals]():         oneOf(Poisson, Periodic, Burst),
	reflect.TypeFor[LinkKind]():         oneOf(StreamLink, PacketLink),
	reflect.TypeFor[Pacing]():           oneOf(FixedRate, FixedDelay),
	reflect.TypeFor[Library]():          oneOf(Libraries...),
	reflect.TypeFor[price.Item]():       oneOf(price.Items...),
	reflect.TypeFor[TargetName]():       {what: "1 to 64 of a-z, 0-9, _ and -, starting with a letter or digit", pattern: "^[a-z0-9][a-z0-9_-]{0,63}$"},
	reflect.TypeFor[Template]():         {what: "a text", pattern: `(?s)^.+$`, grammar: asTemplate},
	reflect.TypeFor[Expression]():       {what: "a regular expression", pattern: `(?s)^.+$`, grammar: asExpression},
	reflect.TypeFor[HeaderField]():      {what: "a header field", pattern: `(?s)^.+$`, grammar: asHeaderField},
	reflect.TypeFor[Order]():            oneOf(PerTopic, Unordered),
	reflect.TypeFor[Attempts]():         oneOf(AtMostOnce, AtLeastOnce),

	"metric":    oneOf(metric.Primary()...).formerly(map[string]string{"answer_p50": metric.ReplyP50, "answer_p99": metric.ReplyP99}),
	"assertion": {grammar: asAssertion},
}

func oneOf[T ~string](all ...T) kind {
	words := make([]string, len(all))
	for i, word := range all {
		words[i] = string(word)
	}
	return kind{what: strings.Join(words, ", "), words: words}
}

// formerly adds deprecated words.
func (k kind) formerly(renamed map[string]string) kind {
	k.renamed = renamed
	return k
}

// rules is made once, and not before main, as units are read with patterns of this package.
var rules = sync.OnceValue(func() *Rule { return newRule(reflect.TypeFor[Scenario](), "") })

// Rules returns the scenario format: the rule of a whole scenario.
func Rules() *Rule { return rules() }

// newRule returns the rule of a field with a type and tags.
func newRule(t reflect.Type, tags reflect.StructTag) *Rule {
	r := &Rule{
		Type: t, Required: tags.Get("required") == "true", Default: tags.Get("default"),
		Min: tags.Get("min"), Max: tags.Get("max"), allowed: tags.Get("allowed"),
	}
	r.Name, _, _ = strings.Cut(tags.Get("yaml"), ",")
	r.Was = tags.Get("was")
	key := any(t)
	if name := tags.Get("kind"); name != "" {
		key = name
	}
	k, scalar := kinds[key]
	switch {
	case t.Kind() == reflect.Slice:
		r.describeList(tags)
	case scalar:
		r.describeScalar(k, tags)
	case t.Kind() == reflect.Struct:
		r.describeMapping()
	default:
		panic(fmt.Sprintf("%v has no row in kinds", key))
	}
	return r
}

// Allowed describes the allowed values, as errors do.
func (r *Rule) Allowed() string { return r.allowed }

func (r *Rule) describeMapping() {
	for i := range r.Type.NumField() {
		f := r.Type.Field(i)
		if f.Tag.Get("yaml") == "-" { // it is not in files
			continue
		}
		rule := newRule(f.Type, f.Tag)
		rule.GoName = f.Name
		r.Fields = append(r.Fields, rule)
	}
	r.allowed = "a mapping of " + strings.Join(r.names(), ", ")
}

func (r *Rule) names() []string {
	names := make([]string, len(r.Fields))
	for i, f := range r.Fields {
		names[i] = f.Name
	}
	return names
}

func (r *Rule) describeList(tags reflect.StructTag) {
	r.Item = newRule(r.Type.Elem(), reflect.StructTag(fmt.Sprintf("min:%q max:%q kind:%q pattern:%q", r.Min, r.Max, tags.Get("kind"), tags.Get("pattern"))))
	if all := r.Item.Words; all != nil {
		r.MaxItems = len(all)
		r.allowed = "a list of " + cmp.Or(r.allowed, strings.Join(all, ", ")) + ", each at most once"
		return
	}
	if r.Item.grammar != nil || tags.Get("pattern") != "" {
		r.Item.allowed, r.allowed = r.allowed, "of: "+r.allowed
	}
	r.MaxItems, r.Repeats = must(strconv.Atoi(tags.Get("items"))), tags.Get("repeats") == "true"
	r.allowed = fmt.Sprintf("a list of 1 to %d %s", r.MaxItems, r.allowed)
}

func (r *Rule) describeScalar(k kind, tags reflect.StructTag) {
	r.unit, r.Words, r.Renamed, r.grammar = k.unit, k.words, k.renamed, k.grammar
	r.Pattern, r.allowed = cmp.Or(tags.Get("pattern"), k.pattern), cmp.Or(r.allowed, k.what)
	r.pattern = regexp.MustCompile(r.Pattern)
	if r.prose() {
		r.Length = must(strconv.Atoi(cmp.Or(tags.Get("length"), strconv.Itoa(MaxProse))))
		r.allowed = strings.ReplaceAll(r.allowed, "LENGTH", strconv.Itoa(r.Length))
	}
	if r.Min == "" {
		return
	}
	r.least, r.most = number(must(r.parse(r.Min))), number(must(r.parse(r.Max)))
	if r.allowed += ", " + r.Min + " … " + r.Max; r.least == r.most {
		r.allowed = r.Min
	}
}

// must is for struct tags and paths, in which any test finds a mistake at once.
func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

// parse reads a value without checking its limits.
func (r *Rule) parse(text string) (reflect.Value, error) {
	v := reflect.New(r.Type)
	if !r.pattern.MatchString(text) {
		return v.Elem(), fmt.Errorf("%s is not %s", quote(text), r.allowed)
	}
	if u, ok := v.Interface().(encoding.TextUnmarshaler); ok {
		return v.Elem(), u.UnmarshalText([]byte(text))
	}
	if r.textual() {
		return reflect.ValueOf(text), nil
	}
	_, err := fmt.Sscan(text, v.Interface())
	return v.Elem(), err
}

// allows reports whether a value is within the limits.
func (r *Rule) allows(v reflect.Value) bool {
	switch {
	case r.Min != "":
		return r.least <= number(v) && number(v) <= r.most
	case r.prose():
		return utf8.RuneCountInString(v.String()) <= r.Length && !strings.ContainsFunc(v.String(), hidden)
	case r.textual() && r.Words != nil:
		return slices.Contains(r.Words, v.String())
	}
	return true
}

// prose reports whether the field is free text, in which line ends and other white space count as
// single spaces: folding it in YAML does not change it.
func (r *Rule) prose() bool { return r.Words == nil && r.Pattern == "" }

// textual reports whether the value is a text in YAML.
func (r *Rule) textual() bool { return r.Type.Kind() == reflect.String || r.grammar != nil }

func number(v reflect.Value) float64 { return v.Convert(reflect.TypeFor[float64]()).Float() }

// fill sets the fields of v to their defaults.
func (r *Rule) fill(v reflect.Value) {
	for _, f := range r.Fields {
		if f.Default != "" {
			v.FieldByName(f.GoName).Set(reflect.ValueOf(f.Initial()))
		}
		f.fill(v.FieldByName(f.GoName))
	}
}

// Initial returns the value of Default.
func (r *Rule) Initial() any {
	v := reflect.New(r.Type)
	if err := yaml.Unmarshal([]byte(r.Default), v.Interface()); err != nil {
		panic(err) // a tag: see must
	}
	return v.Elem().Interface()
}

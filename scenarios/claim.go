package scenarios

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/goccy/go-yaml/ast"
	"github.com/invopop/jsonschema"
)

// A Statement is a Claim, understood. Figures are named as results name them.
type Statement struct {
	Case, Figure string // Case "": every case
	Op           string

	Bound       float64 // in the unit of the figure
	Times       float64 // of the other figure, in place of Bound, where OtherCase is set
	OtherCase   string
	OtherFigure string
}

// ops are the comparisons that a claim may make.
var ops = []string{"<=", ">=", "==", "!=", "<", ">"}

// A dimension is what a figure is measured in: its unit in results, and what that is
// of each unit that may be written.
type dimension map[string]float64

// Dimensions. "" is there where a bare number can be meant.
var (
	inMilliseconds = dimension{"ns": 1e-6, "us": 1e-3, "µs": 1e-3, "ms": 1, "s": 1e3, "m": 6e4}
	inMicroseconds = dimension{"ns": 1e-3, "us": 1, "µs": 1, "ms": 1e3, "s": 1e6}
	inBytes        = dimension{"B": 1, "kB": 1e3, "KiB": 1 << 10, "MB": 1e6, "MiB": 1 << 20}
	inKiB          = dimension{"B": 1.0 / 1024, "kB": 1e3 / 1024.0, "KiB": 1, "MB": 1e6 / 1024, "MiB": 1 << 10}
	inNumbers      = dimension{"": 1, "%": 0.01}
)

// figures are the names of metrics that claims may use, with what they are measured in.
var figures = []struct {
	name string
	in   dimension
}{
	{"p50", inMilliseconds},
	{"p99", inMilliseconds},
	{"p999", inMilliseconds},
	{"mean", inMilliseconds},
	{"max", inMilliseconds},
	{"age_mean", inMilliseconds},
	{"age_p99", inMilliseconds},
	{"ack_p50", inMilliseconds},
	{"ack_p99", inMilliseconds},
	{"answer_p50", inMilliseconds},
	{"answer_p99", inMilliseconds},
	{"answers_lost", inNumbers},
	{"first_message_p50", inMilliseconds},
	{"first_message_p99", inMilliseconds},
	{"visitors_ready_p50", inMilliseconds},
	{"visitors_unheard", inNumbers},
	{"connect_p50", inMilliseconds},
	{"connect_p99", inMilliseconds},
	{"owed", inNumbers},
	{"delivered", inNumbers},
	{"lost", inNumbers},
	{"declared_gap", inNumbers},
	{"superseded", inNumbers},
	{"duplicates", inNumbers},
	{"reordered", inNumbers},
	{"requests_per_message", inNumbers},
	{"empty_answer_share", inNumbers},
	{"messages_per_batch", inNumbers},
	{"wire_bytes_per_message", inBytes},
	{"packet_bytes_per_message", inBytes},
	{"payload_share", inNumbers},
	{"header_bytes_per_message", inBytes},
	{"framing_bytes_per_message", inBytes},
	{"cores", inNumbers},
	{"server_cores", inNumbers},
	{"server_cpu_per_message", inMicroseconds},
	{"generator_cpu_per_message", inMicroseconds},
	{"cpu_per_message", inMicroseconds},
	{"server_memory_per_client", inKiB},
	{"generator_memory_per_client", inKiB},
	{"connect_round_trips", inNumbers},
	{"connect_server_cpu", inMicroseconds},
	{"connect_server_user", inMicroseconds},
	{"connect_server_system", inMicroseconds},
	{"connect_bytes_up", inBytes},
	{"connect_bytes_down", inBytes},
}

// Figures lists the names of metrics that a claim may use, and the unit of each in results.
func Figures() map[string]string {
	all := map[string]string{}
	for _, f := range figures {
		for unit, size := range f.in {
			if size == 1 && unit != "us" {
				all[f.name] = unit
			}
		}
	}
	return all
}

// tokens of a claim. A case may hold "=" as in "sse flush=5ms", but no other character of an operator.
var tokens = regexp.MustCompile(`^\s*(<=|>=|==|!=|<|>|\*|p\([0-9.]+\)|[0-9]+(?:\.[0-9]+)?[a-zA-Zµ%]*|[a-z_][a-z0-9_]*(?:=[a-z0-9.µ]+)?)`)

// cut divides a claim into its tokens.
func cut(text string) (all []string, err error) {
	for rest := strings.TrimSpace(text); rest != ""; rest = strings.TrimSpace(rest) {
		found := tokens.FindStringSubmatch(rest)
		if found == nil {
			return nil, fmt.Errorf("%s cannot be read", quote(rest))
		}
		all = append(all, found[1])
		rest = rest[len(found[0]):]
	}
	return all, nil
}

// Parse understands the claim. Its errors complete a sentence.
func (c Claim) Parse() (s Statement, err error) {
	all, err := cut(string(c))
	if err != nil {
		return s, err
	}
	at := slices.IndexFunc(all, func(t string) bool { return slices.Contains(ops, t) })
	if at < 0 {
		return s, errors.New("it compares nothing: one of < <= > >= == != is missing")
	}
	s.Op = all[at]
	left, right := all[:at], all[at+1:]
	var in dimension
	if s.Case, s.Figure, in, err = parseFigure(left); err != nil {
		return s, err
	}
	if s.Figure == "" {
		return s, fmt.Errorf("there is no metric before %s", s.Op)
	}
	return s, s.parseBound(right, in)
}

// parseBound reads what stands right of the operator.
func (s *Statement) parseBound(right []string, in dimension) error {
	switch {
	case len(right) == 0:
		return fmt.Errorf("there is nothing after %s", s.Op)
	case !isNumber(right[0]):
		s.Times = 1
		return s.parseOther(right)
	case len(right) > 1 && right[1] == "*":
		times, unit, err := parseNumber(right[0])
		if err != nil || unit != "" {
			return fmt.Errorf("%s is no bare number", quote(right[0]))
		}
		s.Times = times
		return s.parseOther(right[2:])
	case len(right) > 1:
		return fmt.Errorf("%s after the bound cannot be read", quote(right[1]))
	}
	x, unit, err := parseNumber(right[0])
	if err != nil {
		return err
	}
	size, ok := in[unit]
	if !ok {
		return fmt.Errorf("%s is no bound of this metric; it is written with %s", quote(right[0]), in)
	}
	s.Bound = x * size
	return nil
}

// parseOther reads the figure that the first one is compared with.
func (s *Statement) parseOther(words []string) (err error) {
	var figure string
	if s.OtherCase, figure, _, err = parseFigure(words); err != nil {
		return err
	}
	if s.OtherCase == "" {
		return errors.New("a figure is compared with that of a named transport, such as 0.5 * shortpoll")
	}
	s.OtherFigure = s.Figure
	if figure != "" {
		s.OtherFigure = figure
	}
	if dimensionOf(s.OtherFigure).String() != dimensionOf(s.Figure).String() {
		return fmt.Errorf("%s and %s are not measured in the same unit", s.Figure, s.OtherFigure)
	}
	return nil
}

// parseFigure reads a case and a metric, each of which may be missing.
func parseFigure(words []string) (c, figure string, in dimension, err error) {
	if len(words) > 0 && slices.Contains(AllTransports, Transport(words[0])) {
		c, words = words[0], words[1:]
		for len(words) > 0 && strings.Contains(words[0], "=") { // what is swept, see Case.Name
			c, words = c+" "+words[0], words[1:]
		}
	}
	if len(words) == 0 {
		return c, "", nil, nil
	}
	subject := ""
	if len(words) > 1 && (words[0] == "age" || words[0] == "ack" || words[0] == "answer" || words[0] == "connect") {
		subject, words = words[0]+"_", words[1:]
	}
	figure, ok := statistic(subject, words[0])
	if !ok && subject == "" {
		figure = words[0]
	}
	if in = dimensionOf(figure); in == nil {
		return c, "", nil, unknownFigure(subject, words[0])
	}
	if len(words) > 1 {
		return c, "", nil, fmt.Errorf("%s after the metric cannot be read", quote(words[1]))
	}
	return c, figure, in, nil
}

// statistics are the names of what is also written as p(99), avg or max.
var statistics = regexp.MustCompile(`^(age_|ack_|answer_|connect_)?(p[0-9]+|mean|max)$`)

// unknownFigure is the error of a word that names no figure: the nearest name there is, or
// else all of them.
func unknownFigure(subject, word string) error {
	if word == "min" {
		return errors.New("min is no metric here, as the least of many says nothing; use p(50)")
	}
	var all, others []string
	for _, f := range figures {
		if all = append(all, f.name); !statistics.MatchString(f.name) {
			others = append(others, f.name)
		}
	}
	message := fmt.Sprintf("%s is no metric", quote(strings.TrimSuffix(subject, "_")+strings.Repeat(" ", min(1, len(subject)))+word))
	if hint := didYouMean(word, all); hint != "" {
		return fmt.Errorf("%s; %s", message, hint)
	}
	return fmt.Errorf("%s; it is p(99), avg, max, each also after age, ack, answer or connect, or one of %s", message, strings.Join(others, ", "))
}

// statistic is the figure's name of "p(99)", "med", "avg" and "max".
func statistic(subject, word string) (figure string, ok bool) {
	switch {
	case word == "med":
		return subject + "p(50)", true
	case word == "avg":
		return subject + "mean", true
	case word == "max":
		return subject + "max", true
	case strings.HasPrefix(word, "p("):
		return subject + word, true
	default:
		return "", false
	}
}

var percentilePattern = regexp.MustCompile(`^(?:age_|ack_|answer_|connect_)?p\(([0-9]+(?:\.[0-9]+)?)\)$`)

// isPercentile says whether a figure is one, such as "age_p(99.9)".
func isPercentile(figure string) bool {
	found := percentilePattern.FindStringSubmatch(figure)
	if found == nil {
		return false
	}
	percent, err := strconv.ParseFloat(found[1], 64)
	return err == nil && percent > 0 && percent < 100
}

// dimensionOf is what a figure is measured in, nil if there is none of that name.
func dimensionOf(figure string) dimension {
	if isPercentile(figure) {
		return inMilliseconds
	}
	for _, f := range figures {
		if f.name == figure {
			return f.in
		}
	}
	return nil
}

// String lists the units, the smallest first.
func (d dimension) String() string {
	var names []string
	for unit := range d {
		names = append(names, unit)
	}
	slices.SortFunc(names, func(a, b string) int {
		switch {
		case d[a] < d[b]:
			return -1
		case d[a] > d[b]:
			return +1
		}
		return strings.Compare(a, b)
	})
	for i, name := range names {
		if name == "" {
			names[i] = "no unit"
		}
	}
	return strings.Join(names, ", ")
}

var numberPattern = regexp.MustCompile(`^([0-9]+(?:\.[0-9]+)?)([a-zA-Zµ%]*)$`)

func isNumber(word string) bool { return numberPattern.MatchString(word) }

func parseNumber(word string) (x float64, unit string, err error) {
	found := numberPattern.FindStringSubmatch(word)
	if found == nil {
		return 0, "", fmt.Errorf("%s is no number", quote(word))
	}
	if x, err = strconv.ParseFloat(found[1], 64); err != nil {
		return 0, "", fmt.Errorf("%s is too large", quote(word))
	}
	return x, found[2], nil
}

// Parse understands the figure: its case and its metric, as results name them. Its errors
// complete a sentence.
func (f Figure) Parse() (c, metric string, err error) {
	words, err := cut(string(f))
	if err != nil {
		return "", "", err
	}
	switch c, metric, _, err = parseFigure(words); {
	case err != nil:
		return "", "", err
	case c == "" || metric == "":
		return "", "", errors.New("it is no case and metric")
	default:
		return c, metric, nil
	}
}

// A sentenceRule reads a text that has a grammar of its own.
type sentenceRule[T ~string] struct {
	target  *T
	allowed string
	cannot  string        // what a text that breaks the grammar cannot be used for
	parse   func(T) error // says what is wrong
}

func (r sentenceRule[T]) allows() string { return r.allowed }

func (r sentenceRule[T]) read(d *document, path string, n ast.Node) error {
	text, ok := scalarText(n)
	if !ok || !worded(n) || utf8.RuneCountInString(text) > maxProse {
		return d.refuse(path, n, r.allowed, "")
	}
	if err := r.parse(T(text)); err != nil {
		p := position(n)
		return &Error{File: d.file, Line: p.Line, Column: p.Column, Field: path, Value: quote(text), Message: "cannot be " + r.cannot + " a run: " + err.Error()}
	}
	*r.target = T(oneLine(text))
	return nil
}

func (r sentenceRule[T]) schema() *jsonschema.Schema {
	most := uint64(maxProse)
	return &jsonschema.Schema{Type: "string", MaxLength: &most}
}

// figureOf is one figure.
func figureOf(target *Figure) rule {
	return sentenceRule[Figure]{
		target: target, cannot: "found in",
		allowed: "a case and a metric, such as \"websocket p(99)\" or \"longpoll rtt=100ms avg\"",
		parse: func(f Figure) error {
			_, _, err := f.Parse()
			return err
		},
	}
}

const (
	claimAllowed = "a figure, one of < <= > >= == !=, and a bound, such as \"lost == 0\", \"websocket p(99) < 50ms\" or \"sse p(99) < 0.5 * shortpoll\""
	needAllowed  = "a metric, one of < <= > >= == !=, and a bound, such as \"p(99) < 50ms\" or \"lost == 0\""
)

// claimOf is one claim. A need says what any transport must do: it names none.
func claimOf(target *Claim, need bool) sentenceRule[Claim] {
	r := sentenceRule[Claim]{target: target, cannot: "held against", allowed: claimAllowed}
	if need {
		r.allowed = needAllowed
	}
	r.parse = func(c Claim) error {
		statement, err := c.Parse()
		if err == nil && need && (statement.Case != "" || statement.OtherCase != "") {
			err = errors.New("a need is of whichever transport is to be chosen, so it names none")
		}
		return err
	}
	return r
}

// claims are what a run must find; needs what a transport must do to be chosen.
func claims(target *[]Claim, need bool) rule {
	return list[Claim]{
		target: target, most: maxClaims,
		item:     func(c *Claim) rule { return claimOf(c, need) },
		distinct: func(c Claim) string { return string(c) },
		allowed:  fmt.Sprintf("a list of 1 to %d of: %s", maxClaims, claimOf(nil, need).allows()),
		initial:  func(all []Claim) any { return all },
	}
}

// Unmeasured are the claims that name none of the cases that a block measures.
func (s *Scenario) Unmeasured(cases []Case) (missing []Claim) {
	measured := map[string]bool{"": true}
	for _, c := range cases {
		measured[c.Name()] = true
	}
	for _, c := range s.Claims {
		if said, err := c.Parse(); err == nil && !(measured[said.Case] && measured[said.OtherCase]) {
			missing = append(missing, c)
		}
	}
	return missing
}

package metric

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// An Assertion is a statement that a run checks, or a requirement of an application. The same
// grammar serves both. It is that of k6's thresholds, plus a transport's name and ratios:
//
//	assertion = value op bound
//	value     = [ configuration ] metric
//	op        = "<" | "<=" | ">" | ">=" | "==" | "!="
//	bound     = number [ unit ] | [ number "*" ] configuration [ metric ]
//	metric    = [ "age" | "ack" | "reply" | "connect" ] ( "p(" number ")" | "med" | "avg" | "max" ) | name
//
// as in "lost == 0", "websocket p(99) < 50ms" and "sse p(99) < 0.5 * shortpoll". An
// assertion without a configuration applies to every configuration. A statistic without "age",
// "ack", "reply" or "connect" is one of the delivery latency; a name is that of a metric in
// the results, such as wire_bytes_per_message. The right side of a ratio has the left side's
// metric unless it names one.
type Assertion struct {
	Text          string `json:"text"`                    // as written
	Configuration string `json:"configuration,omitempty"` // the configuration; every configuration if absent
	Metric        string `json:"metric"`                  // the name of a metric, or a percentile: p(95), age_p(95), ack_p(95), reply_p(95), connect_p(95)
	Op            string `json:"op"`                      // one of < <= > >= == !=

	Bound              float64 `json:"bound,omitempty"` // in the metric's unit
	Times              float64 `json:"times,omitempty"` // factor of the other value; replaces bound if other_configuration is set
	OtherConfiguration string  `json:"other_configuration,omitempty"`
	OtherMetric        string  `json:"other_metric,omitempty"`
}

// operators are the comparisons of the grammar.
var operators = map[string]func(x, bound float64) bool{
	"<":  func(x, bound float64) bool { return x < bound },
	"<=": func(x, bound float64) bool { return x <= bound },
	">":  func(x, bound float64) bool { return x > bound },
	">=": func(x, bound float64) bool { return x >= bound },
	"==": func(x, bound float64) bool { return x == bound },
	"!=": func(x, bound float64) bool { return x != bound },
}

// Holds reports whether x satisfies the assertion's comparison with bound.
func (a Assertion) Holds(x, bound float64) bool { return operators[a.Op](x, bound) }

// Check returns an error for an assertion that cannot be evaluated.
func (a Assertion) Check() error {
	names := []string{a.Metric}
	if a.OtherConfiguration != "" {
		names = append(names, a.OtherMetric)
	}
	for _, name := range names {
		if _, ok := Find(name); !ok {
			return fmt.Errorf("assertion %q: unknown metric %q", a.Text, name)
		}
	}
	if operators[a.Op] == nil {
		return fmt.Errorf("assertion %q: unknown operator %q; use one of < <= > >= == !=", a.Text, a.Op)
	}
	return nil
}

// A Grammar parses assertions and the values in them.
type Grammar struct {
	Transports []string                                  // a configuration begins with one of these
	Hint       func(typed string, known []string) string // a suggestion for a typo, or ""
}

// Assertion parses an assertion. Callers prefix its errors with the field and the text.
func (g Grammar) Assertion(text string) (a Assertion, err error) {
	a.Text = strings.Join(strings.Fields(text), " ")
	words, err := cut(text)
	if err != nil {
		return a, err
	}
	at := slices.IndexFunc(words, func(word string) bool { return operators[word] != nil })
	if at < 0 {
		return a, errors.New("no operator: use one of < <= > >= == !=")
	}
	a.Op = words[at]
	var m Metric
	if a.Configuration, m, err = g.value(words[:at]); err != nil {
		return a, err
	}
	if a.Metric = m.Name; a.Metric == "" {
		return a, fmt.Errorf("no metric before %s", a.Op)
	}
	return a, g.bound(&a, m, words[at+1:])
}

// Value parses a configuration and a metric; both are required. Callers prefix its errors with
// the field and the text.
func (g Grammar) Value(text string) (configuration, metric string, err error) {
	words, err := cut(text)
	if err != nil {
		return "", "", err
	}
	configuration, m, err := g.value(words)
	if err == nil && (configuration == "" || m.Name == "") {
		err = errors.New("not a configuration and a metric, such as \"websocket p(50)\"")
	}
	return configuration, m.Name, err
}

// bound parses the right side of the operator.
func (g Grammar) bound(a *Assertion, m Metric, right []string) error {
	if len(right) == 0 {
		return fmt.Errorf("no bound after %s", a.Op)
	}
	number := numberPattern.FindStringSubmatch(right[0])
	if number == nil {
		a.Times = 1
		return g.other(a, m, right)
	}
	unit := number[2]
	x, err := strconv.ParseFloat(number[1], 64)
	factor := len(right) > 1 && right[1] == "*"
	switch size, ok := units[m.Unit][unit]; {
	case factor && (err != nil || unit != ""):
		return fmt.Errorf("%s must be a number without a unit, as a factor", quote(right[0]))
	case factor:
		a.Times = x
		return g.other(a, m, right[2:])
	case len(right) > 1:
		return fmt.Errorf("unexpected %s after the bound", quote(right[1]))
	case err != nil:
		return fmt.Errorf("%s is too large", quote(right[0]))
	case !ok:
		return fmt.Errorf("%s is not a valid bound of this metric; use a number with one of %s", quote(right[0]), listUnits(units[m.Unit]))
	default:
		a.Bound = x * size
		return nil
	}
}

// other parses the value on the right side of a ratio.
func (g Grammar) other(a *Assertion, m Metric, words []string) error {
	configuration, other, err := g.value(words)
	switch {
	case err != nil:
		return err
	case configuration == "":
		return errors.New("a ratio must name a transport on the right, such as 0.5 * shortpoll")
	case other.Name == "":
		other = m
	case other.Unit != m.Unit:
		return fmt.Errorf("%s and %s have different units", m.Name, other.Name)
	}
	a.OtherConfiguration, a.OtherMetric = configuration, other.Name
	return nil
}

// value parses a configuration and a metric; either may be absent.
func (g Grammar) value(words []string) (configuration string, m Metric, err error) {
	if len(words) > 0 && slices.Contains(g.Transports, words[0]) {
		end := 1
		for end < len(words) && strings.Contains(words[end], "=") { // the values of swept axes
			end++
		}
		configuration, words = strings.Join(words[:end], " "), words[end:]
	}
	if len(words) == 0 {
		return configuration, Metric{}, nil
	}
	subject := ""
	if len(words) > 1 && slices.Contains(subjects, words[0]) {
		subject, words = words[0]+"_", words[1:]
	}
	name, isStatistic := statistic(words[0])
	m, ok := Find(subject + name)
	if !ok || subject != "" && !isStatistic {
		return configuration, Metric{}, g.unknown(subject, words[0])
	}
	if len(words) > 1 {
		return configuration, Metric{}, fmt.Errorf("unexpected %s after the metric", quote(words[1]))
	}
	return configuration, m, nil
}

// statistic returns the name in the results of "p(99)", "med", "avg" or "max".
func statistic(word string) (name string, ok bool) {
	switch word {
	case "med":
		return "p(50)", true
	case "avg":
		return "mean", true
	default:
		return word, word == "max" || strings.HasPrefix(word, "p(")
	}
}

// statistics matches the metrics that can also be written as p(99), avg or max.
var statistics = regexp.MustCompile(`^(age_|ack_|reply_|connect_)?(p[0-9]+|mean|max)$`)

// unknown returns the error for a word that names no metric: it suggests the nearest name, or
// lists all names.
func (g Grammar) unknown(subject, word string) error {
	if word == "min" {
		return errors.New("min is not a metric, as the minimum of many values describes none of them; use p(50)")
	}
	var all, others []string
	for _, m := range All {
		if all = append(all, m.Name); !statistics.MatchString(m.Name) {
			others = append(others, m.Name)
		}
	}
	message := quote(strings.Replace(subject, "_", " ", 1)+word) + " is not a metric"
	if g.Hint != nil {
		if hint := g.Hint(word, all); hint != "" {
			return fmt.Errorf("%s; %s", message, hint)
		}
	}
	return fmt.Errorf("%s; use p(99), avg or max; p(99) also after age, ack, reply or connect; age avg; or one of %s", message, strings.Join(others, ", "))
}

// tokens of an assertion. A configuration may hold "=" as in "sse batching_delay=5ms", but no other
// character of an operator.
var tokens = regexp.MustCompile(`^\s*(<=|>=|==|!=|<|>|\*|p\([0-9.]+\)|[0-9]+(?:\.[0-9]+)?[a-zA-Zµ%]*|[a-z_][a-z0-9_]*(?:=[a-z0-9.µ]+)?)`)

// cut splits a text into its tokens.
func cut(text string) (words []string, err error) {
	for rest := strings.TrimSpace(text); rest != ""; rest = strings.TrimSpace(rest) {
		found := tokens.FindStringSubmatch(rest)
		if found == nil {
			return nil, fmt.Errorf("syntax error at %s", quote(rest))
		}
		words = append(words, found[1])
		rest = rest[len(found[0]):]
	}
	return words, nil
}

var numberPattern = regexp.MustCompile(`^([0-9]+(?:\.[0-9]+)?)([a-zA-Zµ%]*)$`)

// quote returns text in quotes, truncated to fit on a line.
func quote(text string) string {
	const limit = 60
	if runes := []rune(text); len(runes) > limit {
		text = string(runes[:limit-1]) + "…"
	}
	return strconv.Quote(text)
}

package metric

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// An Assertion is what a run must find, or what an application requires of a transport. Its
// grammar is that of k6's thresholds, extended to a transport's name and to ratios between two:
//
//	assertion = value op bound
//	value     = [ configuration ] metric
//	op        = "<" | "<=" | ">" | ">=" | "==" | "!="
//	bound     = number [ unit ] | [ number "*" ] configuration [ metric ]
//	metric    = [ "age" | "ack" | "answer" | "connect" ] ( "p(" number ")" | "med" | "avg" | "max" ) | name
//
// as in "lost == 0", "websocket p(99) < 50ms" and "sse p(99) < 0.5 * shortpoll". An
// assertion that names no configuration is about every one of them. A statistic without
// "age", "ack", "answer" or "connect" is of the delivery latency; a name is one of those that
// results have, such as wire_bytes_per_message. The second value of a ratio is of the first's
// metric where it names none.
type Assertion struct {
	Text          string `json:"text"`           // as it was written
	Configuration string `json:"case,omitempty"` // the configuration; every one where it is left out
	Metric        string `json:"figure"`         // the name of a metric, or a percentile: p(95), age_p(95), ack_p(95), answer_p(95), connect_p(95)
	Op            string `json:"op"`             // one of < <= > >= == !=

	Bound              float64 `json:"bound,omitempty"` // in the metric's unit
	Times              float64 `json:"times,omitempty"` // of the other value, in place of bound, where other_case is set
	OtherConfiguration string  `json:"other_case,omitempty"`
	OtherMetric        string  `json:"other_figure,omitempty"`
}

// operators are the comparisons that an assertion may make.
var operators = map[string]func(x, bound float64) bool{
	"<":  func(x, bound float64) bool { return x < bound },
	"<=": func(x, bound float64) bool { return x <= bound },
	">":  func(x, bound float64) bool { return x > bound },
	">=": func(x, bound float64) bool { return x >= bound },
	"==": func(x, bound float64) bool { return x == bound },
	"!=": func(x, bound float64) bool { return x != bound },
}

// Holds reports whether x compares with bound as the assertion says.
func (a Assertion) Holds(x, bound float64) bool { return operators[a.Op](x, bound) }

// Check refuses an assertion that cannot be judged.
func (a Assertion) Check() error {
	names := []string{a.Metric}
	if a.OtherConfiguration != "" {
		names = append(names, a.OtherMetric)
	}
	for _, name := range names {
		if _, ok := Find(name); !ok {
			return fmt.Errorf("claim %q: no metric is called %q", a.Text, name)
		}
	}
	if operators[a.Op] == nil {
		return fmt.Errorf("claim %q: %q is not a comparison", a.Text, a.Op)
	}
	return nil
}

// A Grammar reads assertions and the values in them.
type Grammar struct {
	Transports []string                                  // a configuration begins with one of these
	Hint       func(typed string, known []string) string // what was probably meant, or nothing
}

// Assertion reads one. Its errors complete a sentence.
func (g Grammar) Assertion(text string) (a Assertion, err error) {
	a.Text = strings.Join(strings.Fields(text), " ")
	words, err := cut(text)
	if err != nil {
		return a, err
	}
	at := slices.IndexFunc(words, func(word string) bool { return operators[word] != nil })
	if at < 0 {
		return a, errors.New("it compares nothing: one of < <= > >= == != is missing")
	}
	a.Op = words[at]
	var m Metric
	if a.Configuration, m, err = g.value(words[:at]); err != nil {
		return a, err
	}
	if a.Metric = m.Name; a.Metric == "" {
		return a, fmt.Errorf("there is no metric before %s", a.Op)
	}
	return a, g.bound(&a, m, words[at+1:])
}

// Value reads a configuration and a metric, both of which must be there. Its errors
// complete a sentence.
func (g Grammar) Value(text string) (configuration, metric string, err error) {
	words, err := cut(text)
	if err != nil {
		return "", "", err
	}
	configuration, m, err := g.value(words)
	if err == nil && (configuration == "" || m.Name == "") {
		err = errors.New("it is no case and metric")
	}
	return configuration, m.Name, err
}

// bound reads what stands right of the operator.
func (g Grammar) bound(a *Assertion, m Metric, right []string) error {
	if len(right) == 0 {
		return fmt.Errorf("there is nothing after %s", a.Op)
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
		return fmt.Errorf("%s is no bare number", quote(right[0]))
	case factor:
		a.Times = x
		return g.other(a, m, right[2:])
	case len(right) > 1:
		return fmt.Errorf("%s after the bound cannot be read", quote(right[1]))
	case err != nil:
		return fmt.Errorf("%s is too large", quote(right[0]))
	case !ok:
		return fmt.Errorf("%s is no bound of this metric; it is written with %s", quote(right[0]), listUnits(units[m.Unit]))
	default:
		a.Bound = x * size
		return nil
	}
}

// other reads the value that the first one is compared with.
func (g Grammar) other(a *Assertion, m Metric, words []string) error {
	configuration, other, err := g.value(words)
	switch {
	case err != nil:
		return err
	case configuration == "":
		return errors.New("a figure is compared with that of a named transport, such as 0.5 * shortpoll")
	case other.Name == "":
		other = m
	case other.Unit != m.Unit:
		return fmt.Errorf("%s and %s are not measured in the same unit", m.Name, other.Name)
	}
	a.OtherConfiguration, a.OtherMetric = configuration, other.Name
	return nil
}

// value reads a configuration and a metric, each of which may be missing.
func (g Grammar) value(words []string) (configuration string, m Metric, err error) {
	if len(words) > 0 && slices.Contains(g.Transports, words[0]) {
		end := 1
		for end < len(words) && strings.Contains(words[end], "=") { // the values of what is swept
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
		return configuration, Metric{}, fmt.Errorf("%s after the metric cannot be read", quote(words[1]))
	}
	return configuration, m, nil
}

// statistic is the name in results of "p(99)", "med", "avg" and "max".
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

// statistics are the names of what is also written as p(99), avg or max.
var statistics = regexp.MustCompile(`^(age_|ack_|answer_|connect_)?(p[0-9]+|mean|max)$`)

// unknown is the error of a word that names no metric: the nearest name there is, or else
// all of them.
func (g Grammar) unknown(subject, word string) error {
	if word == "min" {
		return errors.New("min is no metric here, as the least of many says nothing; use p(50)")
	}
	var all, others []string
	for _, m := range All {
		if all = append(all, m.Name); !statistics.MatchString(m.Name) {
			others = append(others, m.Name)
		}
	}
	message := quote(strings.Replace(subject, "_", " ", 1)+word) + " is no metric"
	if g.Hint != nil {
		if hint := g.Hint(word, all); hint != "" {
			return fmt.Errorf("%s; %s", message, hint)
		}
	}
	return fmt.Errorf("%s; it is p(99), avg, max, each also after age, ack, answer or connect, or one of %s", message, strings.Join(others, ", "))
}

// tokens of an assertion. A configuration may hold "=" as in "sse flush=5ms", but no other
// character of an operator.
var tokens = regexp.MustCompile(`^\s*(<=|>=|==|!=|<|>|\*|p\([0-9.]+\)|[0-9]+(?:\.[0-9]+)?[a-zA-Zµ%]*|[a-z_][a-z0-9_]*(?:=[a-z0-9.µ]+)?)`)

// cut divides a text into its tokens.
func cut(text string) (words []string, err error) {
	for rest := strings.TrimSpace(text); rest != ""; rest = strings.TrimSpace(rest) {
		found := tokens.FindStringSubmatch(rest)
		if found == nil {
			return nil, fmt.Errorf("%s cannot be read", quote(rest))
		}
		words = append(words, found[1])
		rest = rest[len(found[0]):]
	}
	return words, nil
}

var numberPattern = regexp.MustCompile(`^([0-9]+(?:\.[0-9]+)?)([a-zA-Zµ%]*)$`)

// quote is text in quotes, cut to what fits on a line.
func quote(text string) string {
	const most = 60
	if runes := []rune(text); len(runes) > most {
		text = string(runes[:most-1]) + "…"
	}
	return strconv.Quote(text)
}

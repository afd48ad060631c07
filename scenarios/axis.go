package scenarios

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"pushbench/scenarios/transports"
)

// An axis is something that the configurations of a scenario can differ in besides their
// transport. axisOf is its implementation, axes the table of all.
type axis interface {
	// sweptFor reports whether a transport is measured with the values of a sweep.
	sweptFor(*Scenario, Transport) bool
	// expand returns each configuration with each of its values on this axis.
	expand(*Scenario, []Configuration) []Configuration
	// apply sets the value of a configuration, which may be swept, in the scenario of that configuration alone.
	apply(alone *Scenario, c Configuration, swept bool)
	// label returns the part of a configuration's name with its value: "rtt=40ms".
	label(Configuration) string
	// called reports whether a name is that of the field in sweep, or in the names of configurations.
	called(name string) bool
	// field returns the name in sweep.
	field() string
	// written returns a value as a file has it; it may be given as in the names of configurations.
	written(value string) string
	// serveFlags returns the command-line flags of a server with the value.
	serveFlags(Configuration) []string
	// conflict returns the first unmet condition between the sweep and the rest of the scenario.
	conflict(*Scenario) *conflict
	// depth orders the nesting of sweeps: a deeper axis varies faster.
	depth() int
}

// An axisOf is an axis with values of type T.
type axisOf[T comparable] struct {
	name  string                        // its field in sweep
	named string                        // in the names of configurations; default: name
	text  func(T) string                // a value in the names of configurations; default: fmt.Sprint
	unit  string                        // what text leaves out of a number
	sweep func(*Sweep) *[]T             // the values that a sweep lists
	of    func(*Configuration) *T       // the value of a configuration
	own   func(*Scenario, Transport) *T // the scenario's own field; nil: the transport has none

	// appliesTo reports whether a transport has the axis; nil: all transports have it. The value
	// of the others is the zero value.
	appliesTo func(transports.Transport) bool
	lacking   string // why the other transports lack it

	// ownPath is the path of the scenario's own field if it is not allowed together with a sweep,
	// with * for the transport's section; "": it is allowed, and the sweep replaces it.
	ownPath    string
	ownDefault T
	lists      string // the sweep's replacement: "lists the libraries"
	conditions []sweepCondition

	flag string // flag of pushbench serve that sets the value unless it is zero; "": none
	// resolve returns the value that a swept one stands for with a transport; nil: itself. Values with
	// the same meaning are measured once.
	resolve func(T, transports.Transport) T

	// offers reports whether a swept value has a transport in a scenario; nil: every value has.
	offers func(*Scenario, T, Transport) bool

	shared bool // a configuration has a value only if it is swept; otherwise all share the scenario's
	inner  int  // depth
}

// A sweepCondition is a condition on a scenario with a certain sweep.
type sweepCondition struct {
	met     func(*Scenario) bool
	message string
}

func (a axisOf[T]) depth() int { return a.inner }

func (a axisOf[T]) has(t Transport) bool { return a.appliesTo == nil || a.appliesTo(transports.Of(t)) }

func (a axisOf[T]) sweptFor(s *Scenario, t Transport) bool {
	return a.has(t) && len(*a.sweep(&s.Sweep)) > 0
}

func (a axisOf[T]) values(s *Scenario, t Transport) []T {
	if a.sweptFor(s, t) {
		values := a.distinct(*a.sweep(&s.Sweep), t)
		if a.offers == nil {
			return values
		}
		return slices.DeleteFunc(values, func(value T) bool { return !a.offers(s, value, t) })
	}
	values := make([]T, 1)
	if own := a.own(s, t); own != nil && a.has(t) && !a.shared {
		values[0] = *own
	}
	return values
}

// distinct returns the different meanings of swept values, in their order.
func (a axisOf[T]) distinct(swept []T, t Transport) (values []T) {
	for _, value := range swept {
		if a.resolve != nil {
			value = a.resolve(value, transports.Of(t))
		}
		if !slices.Contains(values, value) {
			values = append(values, value)
		}
	}
	return values
}

func (a axisOf[T]) expand(s *Scenario, configurations []Configuration) (all []Configuration) {
	for _, c := range configurations {
		for _, value := range a.values(s, c.Transport) {
			*a.of(&c) = value
			all = append(all, c)
		}
	}
	return all
}

func (a axisOf[T]) apply(alone *Scenario, c Configuration, swept bool) {
	if own := a.own(alone, c.Transport); own != nil && (swept || !a.shared) {
		*own = *a.of(&c)
	}
}

func (a axisOf[T]) label(c Configuration) string {
	value := *a.of(&c)
	text := fmt.Sprint(value)
	if a.text != nil {
		text = a.text(value)
	}
	return cmp.Or(a.named, a.name) + "=" + text
}

func (a axisOf[T]) called(name string) bool {
	return name == a.name || a.named != "" && name == a.named
}

func (a axisOf[T]) field() string { return a.name }

func (a axisOf[T]) written(value string) string {
	value = strings.TrimSpace(value)
	for _, is := range []bool{false, true} {
		if v, ok := any(is).(T); ok && a.text(v) == value {
			return strconv.FormatBool(is)
		}
	}
	if _, err := strconv.ParseFloat(value, 64); a.unit != "" && err == nil {
		return value + a.unit
	}
	return value
}

func (a axisOf[T]) serveFlags(c Configuration) []string {
	var zero T
	value := *a.of(&c)
	switch {
	case a.flag == "" || value == zero:
		return nil
	case any(value) == true:
		return []string{"--" + a.flag}
	default:
		return []string{"--" + a.flag, fmt.Sprint(value)}
	}
}

// conflict checks, in order, the axis's own conditions, the own field together with the sweep, and
// whether some transport has the axis.
func (a axisOf[T]) conflict(s *Scenario) *conflict {
	if len(*a.sweep(&s.Sweep)) == 0 {
		return nil
	}
	for _, c := range a.conditions {
		if !c.met(s) {
			return conflictAt("sweep."+a.name, nil, "%s", c.message)
		}
	}
	var have []string
	for _, t := range AllTransports {
		if !a.has(t) {
			continue
		}
		have = append(have, string(t))
		if own := a.own(s, t); a.ownPath != "" && *own != a.ownDefault {
			return conflictAt(strings.Replace(a.ownPath, "*", string(t), 1), *own, "is not allowed together with sweep.%s, which %s; allowed: one of the two", a.name, a.lists)
		}
	}
	if a.appliesTo != nil && !s.measures(a.appliesTo) {
		return conflictAt("sweep."+a.name, nil, "has nothing to sweep%s; allowed: with %s among the transports", a.lacking, transports.Or(have))
	}
	return nil
}

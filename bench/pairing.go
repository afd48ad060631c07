package bench

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"pushbench/bench/validity"
)

// A pairing records the settings of the run's first trial whose server reports any, and of the first trial of each
// configuration. A server that is not pushbench's reports none.
type pairing struct {
	first  map[string]string
	before map[string]map[string]string // by configuration
}

// note records a trial's settings if they are the first. A trial that failed early has none.
func (p *pairing) note(measured string, settings map[string]string) {
	if len(settings) == 0 {
		return
	}
	if p.first == nil && reported(settings) {
		p.first = settings
	}
	if p.before == nil {
		p.before = map[string]map[string]string{}
	}
	if _, known := p.before[measured]; !known {
		p.before[measured] = settings
	}
}

// reported reports whether settings contain any that the server reported.
func reported(settings map[string]string) bool {
	for name := range settings {
		if strings.HasPrefix(name, validity.ServerPrefix) {
			return true
		}
	}
	return false
}

// conditions describes the intended differences between the servers of a run.
func (p *pairing) conditions() (list []string) {
	for _, name := range slices.Sorted(maps.Keys(validity.Variables)) {
		var values, each []string
		for _, measured := range slices.Sorted(maps.Keys(p.before)) {
			if !reported(p.before[measured]) {
				continue // it is described as a target
			}
			value := validity.SettingOf(p.before[measured], name)
			values, each = append(values, value), append(each, measured+" "+value)
		}
		slices.Sort(values)
		if len(slices.Compact(values)) > 1 {
			list = append(list, fmt.Sprintf("servers differ on purpose in %s: %s", strings.TrimPrefix(name, validity.ServerPrefix), strings.Join(each, ", ")))
		}
	}
	return list
}

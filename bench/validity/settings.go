package validity

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Prefixes of the names of a trial's settings. They state who reported the setting: the server, the
// load generator or the host.
const (
	ServerPrefix    = "server "
	GeneratorPrefix = "generator "
	HostPrefix      = "host "
)

// NotReported is the value of a setting that is absent from one of two compared trials.
const NotReported = "not reported"

// Variables contains the settings that may differ between the configurations of a run, since the run
// compares them. Between repetitions they must not change, like any other setting.
var Variables = map[string]bool{ServerPrefix + "library": true, ServerPrefix + "batching_delay_ns": true, ServerPrefix + "tls": true, ServerPrefix + "limits.heartbeat_ns": true}

// AddSettings adds the fields of a struct: prefix + name in JSON → value.
func AddSettings(settings map[string]string, prefix string, source any) {
	encoded, err := json.Marshal(source)
	if err != nil {
		panic(err) // structs of numbers and strings always marshal
	}
	var fields map[string]any
	if err := json.Unmarshal(encoded, &fields); err != nil {
		panic(err) // encoded above
	}
	flatten(settings, prefix, fields)
}

// flatten adds fields by name. A nested field's name is both names, joined by a dot.
func flatten(settings map[string]string, prefix string, fields map[string]any) {
	for name, value := range fields {
		if inner, nested := value.(map[string]any); nested {
			flatten(settings, prefix+name+".", inner)
			continue
		}
		text, err := json.Marshal(value)
		if err != nil {
			panic(err) // decoded from JSON
		}
		settings[prefix+name] = strings.Trim(string(text), `"`)
	}
}

// Differences lists the settings that differ between two trials, sorted by name. It compares those
// for which include returns true; with include nil, all.
func Differences(was, is map[string]string, include func(name string) bool) (list []string) {
	names := map[string]string{}
	maps.Copy(names, was)
	maps.Copy(names, is)
	for _, name := range slices.Sorted(maps.Keys(names)) {
		a, b := SettingOf(was, name), SettingOf(is, name)
		if a != b && (include == nil || include(name)) {
			list = append(list, fmt.Sprintf("%s was %s, is %s", name, a, b))
		}
	}
	return list
}

// SettingOf returns the named setting's value, or NotReported.
func SettingOf(settings map[string]string, name string) string {
	if value, ok := settings[name]; ok {
		return value
	}
	return NotReported
}

// sameServerSettings reports whether server and load generator ran with the same settings as in the
// run's first trial, except the Variables.
func sameServerSettings(e Evidence) (bool, string) {
	return same(e, e.First, "those of the run's first trial", func(name string) bool {
		return !Variables[name] && !strings.HasPrefix(name, HostPrefix)
	})
}

// nothingChanged reports whether the Variables, the machine and the executables are the same as in
// the first trial of the same configuration.
func nothingChanged(e Evidence) (bool, string) {
	return same(e, e.Before, "those of the configuration's first trial", func(name string) bool {
		return Variables[name] || strings.HasPrefix(name, HostPrefix)
	})
}

func same(e Evidence, was map[string]string, first string, include func(name string) bool) (bool, string) {
	compared := 0
	for name := range e.Trial.Settings {
		if include(name) {
			compared++
		}
	}
	if compared == 0 {
		return false, "no settings were reported"
	}
	if was == nil {
		return true, fmt.Sprintf("%d settings, first trial: nothing to compare with", compared)
	}
	if changed := Differences(was, e.Trial.Settings, include); len(changed) > 0 {
		return false, strings.Join(changed, "; ")
	}
	return true, fmt.Sprintf("%d settings equal %s", compared, first)
}

package validity

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Settings of a trial have a name and a value each, as reported by the server, the load
// generator and the host. The prefix of a name states the source.
const (
	ServerPrefix    = "server "
	GeneratorPrefix = "generator "
	HostPrefix      = "host "
)

// NotReported is the value of a setting that is absent from one of two compared trials.
const NotReported = "not reported"

// Varies are settings that differ between the configurations of a run on purpose, as the
// manifest states. Between repetitions they must not change, like any other setting.
var Varies = map[string]bool{ServerPrefix + "stack": true, ServerPrefix + "flush_ns": true, ServerPrefix + "tls": true, ServerPrefix + "limits.heartbeat_ns": true}

// AddSettings adds the fields of a struct under their names in JSON, after the prefix.
func AddSettings(settings map[string]string, prefix string, of any) {
	encoded, err := json.Marshal(of)
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

// Differences lists the settings that differ between two trials, sorted by name.
func Differences(was, is map[string]string, counts func(name string) bool) (list []string) {
	names := map[string]string{}
	maps.Copy(names, was)
	maps.Copy(names, is)
	for _, name := range slices.Sorted(maps.Keys(names)) {
		a, b := SettingOf(was, name), SettingOf(is, name)
		if a != b && (counts == nil || counts(name)) {
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

// paired: server and load generator run with the same settings for every configuration,
// except the settings that are compared.
func paired(e Evidence) (bool, string) {
	return same(e, e.First, "as in the run's first trial", func(name string) bool {
		return !Varies[name] && !strings.HasPrefix(name, HostPrefix)
	})
}

// unchanged: the server's compared settings, the machine and the executables are the same as
// in the first repetition.
func unchanged(e Evidence) (bool, string) {
	return same(e, e.Before, "as in its first trial", func(name string) bool {
		return Varies[name] || strings.HasPrefix(name, HostPrefix)
	})
}

func same(e Evidence, was map[string]string, asIn string, counts func(name string) bool) (bool, string) {
	n := 0
	for name := range e.Trial.Settings {
		if counts(name) {
			n++
		}
	}
	if n == 0 {
		return false, "no settings were reported"
	}
	if was == nil {
		return true, fmt.Sprintf("%d settings, first trial: nothing to compare with", n)
	}
	if wrong := Differences(was, e.Trial.Settings, counts); len(wrong) > 0 {
		return false, strings.Join(wrong, "; ")
	}
	return true, fmt.Sprintf("%d settings %s", n, asIn)
}

package validity

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// What a trial ran with is a list of settings, each a name and a value, as reported by the
// server, the generator and the host. The prefix of a name says by which.
const (
	ServerPrefix    = "server "
	GeneratorPrefix = "generator "
	HostPrefix      = "host "
)

// NotReported is the value of a setting that one side has and the other has not.
const NotReported = "not told"

// Varies are settings that differ between the servers of a run on purpose. The
// manifest says how; between two blocks they are the same like any other.
var Varies = map[string]bool{ServerPrefix + "stack": true, ServerPrefix + "flush_ns": true, ServerPrefix + "tls": true, ServerPrefix + "limits.heartbeat_ns": true}

// AddSettings adds the fields of a struct under their names in JSON, after the prefix.
func AddSettings(settings map[string]string, prefix string, of any) {
	encoded, err := json.Marshal(of)
	if err != nil {
		panic(err) // structs of numbers and strings always marshal
	}
	var fields map[string]any
	if err := json.Unmarshal(encoded, &fields); err != nil {
		panic(err) // it was written just now
	}
	flatten(settings, prefix, fields)
}

// flatten names a field of a field by both names and a dot.
func flatten(settings map[string]string, prefix string, fields map[string]any) {
	for name, value := range fields {
		if inner, nested := value.(map[string]any); nested {
			flatten(settings, prefix+name+".", inner)
			continue
		}
		text, err := json.Marshal(value)
		if err != nil {
			panic(err) // it came from JSON
		}
		settings[prefix+name] = strings.Trim(string(text), `"`)
	}
}

// Differences lists the settings that two trials do not share, in the order of their names.
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

func SettingOf(settings map[string]string, name string) string {
	if value, ok := settings[name]; ok {
		return value
	}
	return NotReported
}

// paired: whatever the transport, server and generator run with the same settings,
// but for those that are compared.
func paired(e Evidence) (bool, string) {
	return same(e, e.First, "as in the run's first trial", func(name string) bool {
		return !Varies[name] && !strings.HasPrefix(name, HostPrefix)
	})
}

// unchanged: servers of one kind, the machine and the executables are those of the
// first block.
func unchanged(e Evidence) (bool, string) {
	return same(e, e.Before, "as in its first trial", func(name string) bool {
		return Varies[name] || strings.HasPrefix(name, HostPrefix)
	})
}

func same(e Evidence, was map[string]string, asWhen string, counts func(name string) bool) (bool, string) {
	n := 0
	for name := range e.Trial.Settings {
		if counts(name) {
			n++
		}
	}
	if n == 0 {
		return false, "no settings were told"
	}
	if was == nil {
		return true, fmt.Sprintf("%d settings, the first of their kind", n)
	}
	if wrong := Differences(was, e.Trial.Settings, counts); len(wrong) > 0 {
		return false, strings.Join(wrong, "; ")
	}
	return true, fmt.Sprintf("%d settings %s", n, asWhen)
}

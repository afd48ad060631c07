package agent

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"pushbench/bench/host"
	"pushbench/bench/validity"
	"pushbench/results"
)

// settingFields are the fields of /v1/stats that are settings. See servers/PROTOCOL.md.
var settingFields = []string{
	"library", "batching_delay_ns", "gomaxprocs", "gogc", "gomemlimit_bytes", "go_version", "sockets", "compression", "tls", "limits",
}

// volatile are fields of results.Host that change between readings.
var volatile = []string{"load_average"}

// serverSettings extracts the settings from a server's /v1/stats.
func serverSettings(stats []byte) (map[string]string, error) {
	var all map[string]any
	if err := json.Unmarshal(stats, &all); err != nil {
		return nil, err
	}
	maps.DeleteFunc(all, func(name string, _ any) bool { return !slices.Contains(settingFields, name) })
	settings := map[string]string{}
	validity.AddSettings(settings, validity.ServerPrefix, all)
	return settings, nil
}

// hostSettings are the settings of the machine.
func hostSettings(h results.Host) map[string]string {
	settings := map[string]string{}
	validity.AddSettings(settings, validity.HostPrefix, h)
	for _, name := range volatile {
		delete(settings, validity.HostPrefix+name)
	}
	return settings
}

// Differences lists the settings in which two machines differ, as "NAME A and B".
func Differences(a, b results.Host) (list []string) {
	one, other := hostSettings(a), hostSettings(b)
	for _, difference := range validity.Differences(one, other, nil) {
		name, _, _ := strings.Cut(difference, " was ")
		list = append(list, fmt.Sprintf("%s %s and %s", strings.TrimPrefix(name, validity.HostPrefix), validity.SettingOf(one, name), validity.SettingOf(other, name)))
	}
	return list
}

// settings are those that neither server nor load generator reports: the current settings of the
// machine, and the checksums of the executables.
func (l *Local) settings(serve []string) (map[string]string, error) {
	settings := hostSettings(host.Facts())
	for role, argv := range map[string][]string{"server": serve, "generator": l.Drive} {
		sum, err := results.Checksum(argv[0]) // detects an executable that is rebuilt during the run
		if err != nil {
			return nil, err
		}
		settings[validity.HostPrefix+role+"_executable"] = sum
	}
	return settings, nil
}

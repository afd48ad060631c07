package bench

import (
	"encoding/json"
	"fmt"
	"maps"
	"runtime"
	"runtime/metrics"
	"slices"
	"strings"

	"pushbench/bench/client"
	"pushbench/bench/host"
	"pushbench/bench/validity"
	"pushbench/results"
)

// serverTells are the fields of /v1/stats that are settings. See servers/PROTOCOL.md.
var serverTells = []string{
	"stack", "flush_ns", "gomaxprocs", "gogc", "gomemlimit_bytes", "go_version", "sockets", "compression", "tls", "limits",
}

// volatile are fields of results.Host that no two readings share.
var volatile = []string{"load_average"}

// serverSettings picks the settings from what a server says of itself.
func serverSettings(stats []byte) (map[string]string, error) {
	var all map[string]any
	if err := json.Unmarshal(stats, &all); err != nil {
		return nil, err
	}
	maps.DeleteFunc(all, func(name string, _ any) bool { return !slices.Contains(serverTells, name) })
	settings := map[string]string{}
	validity.AddSettings(settings, validity.ServerPrefix, all)
	return settings, nil
}

// generatorSettings are this process's own, and those of its clients' sockets.
func generatorSettings(sockets *client.Options) map[string]string {
	settings := map[string]string{
		validity.GeneratorPrefix + "go_version": runtime.Version(),
		validity.GeneratorPrefix + "gomaxprocs": fmt.Sprint(runtime.GOMAXPROCS(0)),
		validity.GeneratorPrefix + "gogc":       runtimeSetting("/gc/gogc:percent"),
		validity.GeneratorPrefix + "gomemlimit": runtimeSetting("/gc/gomemlimit:bytes"),
	}
	if sockets != nil {
		validity.AddSettings(settings, validity.GeneratorPrefix+"sockets.", sockets)
	}
	return settings
}

func runtimeSetting(name string) string {
	sample := []metrics.Sample{{Name: name}}
	metrics.Read(sample)
	if sample[0].Value.Kind() != metrics.KindUint64 {
		return validity.NotReported
	}
	return fmt.Sprint(sample[0].Value.Uint64())
}

// hostSettings are those of the machine.
func hostSettings(h results.Host) map[string]string {
	settings := map[string]string{}
	validity.AddSettings(settings, validity.HostPrefix, h)
	for _, name := range volatile {
		delete(settings, validity.HostPrefix+name)
	}
	return settings
}

// surroundings are the settings that nobody but us can tell: the machine's, as it is
// now, and which executables this trial starts.
func (t *trial) surroundings() (map[string]string, error) {
	settings := hostSettings(host.Facts())
	for role, argv := range map[string][]string{"server": t.replicas[0].server.Cmd.Args, "generator": t.rig.Drive} {
		sum, err := results.Checksum(argv[0]) // one that is built again between two blocks is noticed
		if err != nil {
			return nil, err
		}
		settings[validity.HostPrefix+role+"_executable"] = sum
	}
	return settings, nil
}

// A pairing remembers what the first trials of a run ran with.
type pairing struct {
	first  map[string]string
	before map[string]map[string]string // by what is measured
}

// note remembers a trial's settings, if it got as far as having some, and they are the first.
func (p *pairing) note(measured string, settings map[string]string) {
	if len(settings) == 0 {
		return
	}
	if p.first == nil {
		p.first = settings
	}
	if p.before == nil {
		p.before = map[string]map[string]string{}
	}
	if _, known := p.before[measured]; !known {
		p.before[measured] = settings
	}
}

// conditions say how the servers of a run differ on purpose.
func (p *pairing) conditions() (list []string) {
	for _, name := range slices.Sorted(maps.Keys(validity.Varies)) {
		var values, each []string
		for _, measured := range slices.Sorted(maps.Keys(p.before)) {
			value := validity.SettingOf(p.before[measured], name)
			values, each = append(values, value), append(each, measured+" "+value)
		}
		slices.Sort(values)
		if len(slices.Compact(values)) > 1 {
			list = append(list, fmt.Sprintf("on purpose, servers differ in %s: %s", strings.TrimPrefix(name, validity.ServerPrefix), strings.Join(each, ", ")))
		}
	}
	return list
}

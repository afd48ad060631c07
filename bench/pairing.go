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
	"pushbench/results"
)

// What a trial ran with is a list of settings, each a name and a value, as the server,
// the generator and the host told it. Names begin with who told.
const (
	ofServer    = "server "
	ofGenerator = "generator "
	ofHost      = "host "
)

// notTold stands for the value of a setting that one side has and the other has not.
const notTold = "not told"

// serverTells are the fields of /v1/stats that are settings. See servers/PROTOCOL.md.
var serverTells = []string{
	"stack", "flush_ns", "gomaxprocs", "gogc", "gomemlimit_bytes", "go_version", "sockets", "compression", "tls", "limits",
}

// varies are settings that differ between the servers of a run on purpose. The
// manifest says how; between two blocks they are the same like any other.
var varies = map[string]bool{ofServer + "stack": true, ofServer + "flush_ns": true, ofServer + "tls": true, ofServer + "limits.heartbeat_ns": true}

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
	flatten(settings, ofServer, all)
	return settings, nil
}

// generatorSettings are this process's own, and those of its clients' sockets.
func generatorSettings(sockets *client.Options) map[string]string {
	settings := map[string]string{
		ofGenerator + "go_version": runtime.Version(),
		ofGenerator + "gomaxprocs": fmt.Sprint(runtime.GOMAXPROCS(0)),
		ofGenerator + "gogc":       runtimeSetting("/gc/gogc:percent"),
		ofGenerator + "gomemlimit": runtimeSetting("/gc/gomemlimit:bytes"),
	}
	if sockets != nil {
		tell(settings, ofGenerator+"sockets.", sockets)
	}
	return settings
}

func runtimeSetting(name string) string {
	sample := []metrics.Sample{{Name: name}}
	metrics.Read(sample)
	if sample[0].Value.Kind() != metrics.KindUint64 {
		return notTold
	}
	return fmt.Sprint(sample[0].Value.Uint64())
}

// hostSettings are those of the machine.
func hostSettings(h results.Host) map[string]string {
	settings := map[string]string{}
	tell(settings, ofHost, h)
	for _, name := range volatile {
		delete(settings, ofHost+name)
	}
	return settings
}

// tell adds the fields of a struct under their names in JSON.
func tell(settings map[string]string, prefix string, of any) {
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

// surroundings are the settings that nobody but us can tell: the machine's, as it is
// now, and which executables this trial starts.
func (t *trial) surroundings() (map[string]string, error) {
	settings := hostSettings(Host())
	for role, argv := range map[string][]string{"server": t.replicas[0].server.Cmd.Args, "generator": t.rig.Drive} {
		sum, err := results.Checksum(argv[0]) // one that is built again between two blocks is noticed
		if err != nil {
			return nil, err
		}
		settings[ofHost+role+"_executable"] = sum
	}
	return settings, nil
}

// differences lists the settings that two trials do not share, in the order of their names.
func differences(was, is map[string]string, counts func(name string) bool) (list []string) {
	names := maps.Clone(was)
	if names == nil {
		names = map[string]string{}
	}
	maps.Copy(names, is)
	for _, name := range slices.Sorted(maps.Keys(names)) {
		a, b := told(was, name), told(is, name)
		if a != b && counts(name) {
			list = append(list, fmt.Sprintf("%s was %s, is %s", name, a, b))
		}
	}
	return list
}

func told(settings map[string]string, name string) string {
	if value, ok := settings[name]; ok {
		return value
	}
	return notTold
}

// paired: whatever the transport, server and generator run with the same settings,
// but for those that are compared.
func paired(e Evidence) (bool, string) {
	return same(e, e.First, "as in the run's first trial", func(name string) bool {
		return !varies[name] && !strings.HasPrefix(name, ofHost)
	})
}

// unchanged: servers of one kind, the machine and the executables are those of the
// first block.
func unchanged(e Evidence) (bool, string) {
	return same(e, e.Before, "as in its first trial", func(name string) bool {
		return varies[name] || strings.HasPrefix(name, ofHost)
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
	if wrong := differences(was, e.Trial.Settings, counts); len(wrong) > 0 {
		return false, strings.Join(wrong, "; ")
	}
	return true, fmt.Sprintf("%d settings %s", n, asWhen)
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
	for _, name := range slices.Sorted(maps.Keys(varies)) {
		var values, each []string
		for _, measured := range slices.Sorted(maps.Keys(p.before)) {
			value := told(p.before[measured], name)
			values, each = append(values, value), append(each, measured+" "+value)
		}
		slices.Sort(values)
		if len(slices.Compact(values)) > 1 {
			list = append(list, fmt.Sprintf("on purpose, servers differ in %s: %s", strings.TrimPrefix(name, ofServer), strings.Join(each, ", ")))
		}
	}
	return list
}

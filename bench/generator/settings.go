package generator

import (
	"fmt"
	"runtime"
	"runtime/metrics"

	"pushbench/bench/client"
	"pushbench/bench/validity"
)

// ownSettings are the settings of this process and of its clients' sockets.
func ownSettings(sockets *client.Options) map[string]string {
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

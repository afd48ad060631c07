//go:build !linux

package host

import "pushbench/results"

var hostNotShown = []string{"kernel, processor model, memory size, limits, congestion control, clock source and sysctls of the host", "load average, frequency governor, simultaneous multithreading, qdisc and control group", "pinning to cores", "TCP segments"}

func describe(*results.Host) {}

// unshown returns nothing: hostNotShown lists every value.
func unshown(results.Host) []string { return nil }

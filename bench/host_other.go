//go:build !linux

package bench

import "pushbench/results"

var hostNotShown = []string{"kernel, processor model, memory size, limits, congestion control, clock source and sysctls of the host", "pinning to cores", "TCP segments"}

func describe(*results.Host) {}

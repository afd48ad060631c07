//go:build nightly && linux

package endtoend

import (
	"testing"

	"pushbench/bench/client/engines"
)

// All mutants, including those whose checks require a quiet machine.
func TestSelfTestCatchesEveryMutant(t *testing.T) {
	for _, m := range mutants {
		t.Run(m.name, func(t *testing.T) { m.caught(t) })
	}
}

// The byte counts of every engine must match those of TCP.
func TestBytesOfEveryEngineMatchTCP(t *testing.T) {
	for _, engine := range engines.Names()[1:] {
		t.Run(engine, func(t *testing.T) { wireBytes(t, engine) })
	}
}

//go:build long

package main

import "testing"

// These take a quiet machine, as their proofs do.
func TestSelfTestCatchesTimedMutants(t *testing.T) {
	for _, m := range mutants {
		if m.timed {
			t.Run(m.name, func(t *testing.T) { m.caught(t) })
		}
	}
}

//go:build !nightly

package servers_test

import (
	"runtime"
	"testing"
)

// healthyLimit is how long a healthy client may wait for a publication and its delivery: on a
// machine that is not idle, as long as tests wait for anything.
const healthyLimit = testTimeout

// TestHostileClientsDelayNoOthers makes some attacks, each on one of its variants; with -tags nightly,
// all on all.
func TestHostileClientsDelayNoOthers(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	for i, a := range attacks {
		if !a.often {
			continue
		}
		all := a.variants()
		v := all[i%len(all)]
		t.Run(a.name+": "+v.transport+" on "+string(v.library), func(t *testing.T) {
			s := start(t, v, hostileLimits, hostileHub)
			a.check(t, s)
			s.grace = testTimeout // an attacker must not be able to delay the shutdown
			s.stop(t)
		})
	}
}

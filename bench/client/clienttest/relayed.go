package clienttest

import (
	"testing"

	"pushbench/bench/relay"
)

// Relayed starts a relay to a server's address that lasts until the test ends.
func Relayed(t testing.TB, target string) *relay.Relay {
	t.Helper()
	r, err := relay.Start(target)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.Close)
	return r
}

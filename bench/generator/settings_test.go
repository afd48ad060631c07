package generator

import (
	"testing"

	"pushbench/bench/client"
)

func TestSettingsOfTheGenerator(t *testing.T) {
	g := ownSettings(&client.Options{NoDelay: true})
	if g["generator gomaxprocs"] == "" || g["generator gogc"] == "" || g["generator sockets.nodelay"] != "true" {
		t.Errorf("generator: %v", g)
	}
}

//go:build !linux

package eventloop

import (
	"errors"

	"pushbench/bench/client"
)

// Supported reports false: this system has no event loops.
func Supported() bool { return false }

// New fails: event loops require Linux.
func New(client.Config) (client.Engine, error) {
	return nil, errors.New("event loops require Linux")
}

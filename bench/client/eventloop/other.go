//go:build !linux

package eventloop

import (
	"errors"

	"pushbench/bench/client"
)

// Supported reports that this system has no event loops.
func Supported() bool { return false }

// New fails: event loops need Linux.
func New(client.Config) (client.Engine, error) {
	return nil, errors.New("event loops need Linux")
}

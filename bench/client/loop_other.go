//go:build !linux

package client

import "errors"

func hasEvents() bool { return false }

// Events returns the engine of event loops, which this system has none of.
func Events(Config) (Transport, error) {
	return nil, errors.New("event loops need Linux")
}

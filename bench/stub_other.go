//go:build !linux

package bench

import (
	"errors"
	"time"
)

var errStub = errors.New("the stub needs Linux")

func ownCPU() (time.Duration, error) { return 0, errStub }
func burn(time.Duration) error       { return errStub }
func touch(int64) error              { return errStub }

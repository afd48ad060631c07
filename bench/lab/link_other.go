//go:build !linux

package lab

import (
	"errors"
	"net/netip"
)

var errLinux = errors.New("network namespaces need Linux")

// A Link is a wire into a network namespace, which this system has none of.
type Link struct{ Theirs netip.Addr }

// NewLink says that there is none.
func NewLink() (*Link, error) { return nil, errLinux }

// Inside says that there is none.
func (*Link) Inside(func() error) error { return errLinux }

// Counters says that there are none.
func (*Link) Counters() (Counters, error) { return Counters{}, errLinux }

// Resent says that there is none.
func (*Link) Resent() (int64, error) { return 0, errLinux }

// Close does nothing.
func (*Link) Close() error { return nil }

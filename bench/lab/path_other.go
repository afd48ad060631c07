//go:build !linux

package lab

import (
	"io"
	"net/netip"
	"os"
)

// A Path is two network namespaces, which this system has none of.
type Path struct {
	Near, Far End
	Doors     int
}

// An End is one side of a Path.
type End struct{ Address netip.Addr }

// NewPath says that there are none.
func NewPath() (*Path, error) { return nil, errLinux }

// NewPathBehindRouter says that there are none.
func NewPathBehindRouter(Router) (*Path, error) { return nil, errLinux }

// Host is no address.
func Host(int) netip.Addr { return netip.Addr{} }

// Inside says that there are none.
func (*End) Inside(func() error) error { return errLinux }

// Device is nil.
func (*End) Device() *os.File { return nil }

// Namespace says that there are none.
func (*End) Namespace() (*os.File, error) { return nil, errLinux }

// InsideOf says that there are none.
func InsideOf(int) func(func() error) error { return func(func() error) error { return errLinux } }

// Carry says that there are none.
func Carry(*os.File, io.Writer) error { return errLinux }

// Close does nothing.
func (*Path) Close() error { return nil }

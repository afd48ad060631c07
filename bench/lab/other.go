//go:build !linux

package lab

import (
	"errors"
	"io"
	"net/netip"
	"os"
)

// errLinux is the error of every function: this system has no network namespaces.
var errLinux = errors.New("network namespaces need Linux")

// A Path is two network namespaces.
type Path struct {
	Near, Far       End
	ForwardingRules int
}

// An End is one side of a Path.
type End struct {
	Address netip.Addr
	Device  *os.File
}

func NewPath(*Router) (*Path, error) { return nil, errLinux }

func (*Path) Close() error { return nil }

func (*End) Inside(func() error) error { return errLinux }

func (*End) Namespace() (*os.File, error) { return nil, errLinux }

func InsideOf(int) func(func() error) error { return (*End)(nil).Inside }

func Carry(*os.File, io.Writer) error { return errLinux }

//go:build !linux

package supervise

import "syscall"

// adopt does nothing: this system has no such request, and descendants of a daemon are not found.
func adopt() error { return nil }

// attributes make the server lead a process group.
func attributes() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }

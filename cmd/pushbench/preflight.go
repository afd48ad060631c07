package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"pushbench/scenarios"
)

// spareDescriptors is what a process needs beside its clients' sockets.
const spareDescriptors = 100

// preflight refuses what cannot fit this machine, with the arithmetic.
func preflight(s *scenarios.Scenario) error {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return fmt.Errorf("read the limit of open files: %w", err)
	}
	need, why := openFiles(s)
	if need > uint64(limit.Cur) {
		return usageError("%d clients × %s + %d = %d open files in the server and as many in the generator, but a process may have %d (ulimit -n); use fewer clients or raise the limit",
			s.Clients.Count, why, spareDescriptors, need, limit.Cur)
	}
	return nil
}

// openFiles is how many a server or a generator of the scenario needs, and why.
func openFiles(s *scenarios.Scenario) (need uint64, why string) {
	perClient, why := connections(s)
	return uint64(s.Clients.Count*perClient + spareDescriptors), why
}

// connections is how many a client needs.
func connections(s *scenarios.Scenario) (perClient int, why string) {
	if s.Publish.By == scenarios.ByClients && pollsOrStreams(s) {
		return 2, "2 connections, as it also publishes"
	}
	return 1, "1 connection"
}

// pollsOrStreams says whether any transport needs a second connection to publish.
func pollsOrStreams(s *scenarios.Scenario) bool {
	for _, t := range s.Transports {
		if t != scenarios.WebSocket {
			return true
		}
	}
	return false
}

// onlyOne refuses to measure beside another run on this machine: both would be spoilt.
func onlyOne() (release func(), err error) {
	path := filepath.Join(os.TempDir(), "pushbench.lock")
	f, err := lockFile(path)
	if err != nil {
		return nil, fmt.Errorf("take the lock: %w", err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		f.Close()
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, usageError("another run is measuring on this machine, and both would be spoilt; wait for it to end (lock: %s)", path)
		}
		return nil, fmt.Errorf("take the lock %s: %w", path, err)
	}
	return func() { f.Close() }, nil
}

// lockFile opens the file that runs lock, or makes it. Reading is enough to lock it:
// it may be another user's, whose file nobody else may write to. Nor may it be opened
// with O_CREATE when it is there, which Linux refuses in a folder such as /tmp
// (fs.protected_regular). A link is not followed.
func lockFile(path string) (*os.File, error) {
	const existing = os.O_RDONLY | syscall.O_NOFOLLOW
	f, err := os.OpenFile(path, existing, 0)
	if !errors.Is(err, fs.ErrNotExist) {
		return f, err
	}
	f, err = os.OpenFile(path, existing|os.O_CREATE|os.O_EXCL, 0o644)
	if errors.Is(err, fs.ErrExist) { // somebody was faster
		return os.OpenFile(path, existing, 0)
	}
	return f, err
}

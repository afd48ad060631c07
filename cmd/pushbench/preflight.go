package main

import (
	"errors"
	"fmt"
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
	perClient, why := 1, "1 connection"
	if s.Publish.By == scenarios.ByClients && pollsOrStreams(s) {
		perClient, why = 2, "2 connections, as it also publishes"
	}
	need := uint64(s.Clients.Count*perClient + spareDescriptors)
	if need > uint64(limit.Cur) {
		return usageError("%d clients × %s + %d = %d open files in the server and as many in the generator, but a process may have %d (ulimit -n); use fewer clients or raise the limit",
			s.Clients.Count, why, spareDescriptors, need, limit.Cur)
	}
	return nil
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
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR|syscall.O_NOFOLLOW, 0o666)
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

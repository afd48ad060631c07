package supervise

import (
	"os"
	"runtime"
	"syscall"
	"time"

	"pushbench/bench/cost"
)

// wait starts the server and waits for its exit, on one thread: see attributes. The first process of a daemon exits
// with success and leaves others.
func (s *server) wait(started chan<- error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	err := s.cmd.Start()
	started <- err
	if err != nil {
		return
	}
	s.err = s.cmd.Wait()
	if s.cmd.ProcessState.Success() {
		s.err = nil // not exec.ErrWaitDelay
		for all, err := cost.Descendants(os.Getpid()); err == nil && len(all) > 0; all, err = cost.Descendants(os.Getpid()) {
			time.Sleep(daemonCheck)
		}
	}
	close(s.ended)
}

// daemonCheck is the time between two checks whether a daemon has ended.
const daemonCheck = 200 * time.Millisecond

// Waits for the end of a server.
const (
	endWait  = 2 * time.Second // after SIGTERM, before SIGKILL
	endCheck = 5 * time.Millisecond
)

// end ends the server and all its descendants.
func (s *server) end() {
	deadline := time.Now().Add(endWait)
	for signal := syscall.SIGTERM; ; {
		all, err := cost.Descendants(os.Getpid())
		if err != nil || len(all) == 0 {
			return
		}
		for _, pid := range all {
			_ = syscall.Kill(pid, signal) // it may have ended just now
		}
		for len(all) > 0 && time.Now().Before(deadline) {
			time.Sleep(endCheck)
			all, _ = cost.Descendants(os.Getpid())
		}
		if signal == syscall.SIGKILL {
			return
		}
		signal, deadline = syscall.SIGKILL, time.Now().Add(endWait)
	}
}

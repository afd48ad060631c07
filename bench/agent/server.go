package agent

import (
	"context"
	"time"

	"pushbench/bench/child"
	"pushbench/bench/clock"
	"pushbench/scenarios"
)

// A server is a server of a trial. Most trials have one. Large trials need several, since the number of descriptors per
// process is limited. Every message is posted to each server.
type server struct {
	process *child.Process
	probe   *probe
	info    ServerInfo
	foreign bool // it is a target, which reports nothing about itself

	before ServerStats // when all clients were connected
}

// preparation is how long the server of a target may take until it is ready; 0s for pushbench's own servers.
func preparation(s *scenarios.Scenario, c scenarios.Configuration) time.Duration {
	if t := s.TargetOf(c); t != nil {
		return time.Duration(t.Start.Within)
	}
	return 0
}

func (s *server) start(ctx context.Context, argv []string, options child.Options) (err error) {
	process, g, err := child.StartServer(ctx, argv, options)
	if err != nil {
		return err
	}
	ctx, release := child.CancelOnExit(ctx, process)
	defer release()
	s.process, s.foreign = process, g.Target != ""
	s.probe = newProbe(g.Listening, g.TLS, options.Inside)
	s.info = ServerInfo{Address: g.Listening, Authority: g.Authority, Certificate: g.Certificate, Settings: g.Settings}
	if s.foreign {
		return nil
	}
	_, err = s.probe.get(ctx, "/v1/healthz")
	return child.Cause(ctx, err)
}

// stats reads the server's counters. A target has none.
func (s *server) stats(ctx context.Context) (ServerStats, error) {
	if s.foreign {
		return ServerStats{}, nil
	}
	return s.probe.stats(ctx)
}

// acceptWait is the maximum time until a server has accepted the connections in its listen queue.
// acceptPoll is the interval at which its counters are read meanwhile.
const (
	acceptWait = time.Second
	acceptPoll = 10 * time.Millisecond
)

// settled reads the server's counters until it has accepted every connection that its clients
// reported. A connection that was opened and closed just now can still be in the server's listen
// queue; it is not a hidden one.
func (s *server) settled(ctx context.Context, dials int64) (after ServerStats, err error) {
	deadline := clock.Now().Add(acceptWait)
	for {
		after, err = s.stats(ctx)
		if err != nil || s.foreign || after.Accepted-s.probe.dials.Load() >= dials || clock.Now() >= deadline {
			return after, err
		}
		if !clock.Wait(ctx, clock.Now().Add(acceptPoll)) {
			return after, context.Cause(ctx)
		}
	}
}

// end ends the server, if it was started.
func (s *server) end(grace time.Duration) error {
	if s.process == nil {
		return nil
	}
	s.probe.http.CloseIdleConnections()
	return s.process.EndQuietly(grace)
}

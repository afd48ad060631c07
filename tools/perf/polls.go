//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"pushbench/bench/child"
)

// pollers returns the sides of our generator and wrk. wrk determines the rate of ours.
func pollers(command string) []side {
	own, other := side{name: ownSide}, side{name: "wrk", bar: 1}
	if !installed("wrk") {
		own.missing = "wrk, which sets the rate, is not installed"
		other.missing = "not installed (apt-get install wrk)"
		return []side{own, other}
	}
	rate := 0.0
	other.once = func(ctx context.Context) (cpu float64, err error) {
		cpu, rate, err = wrkPolls(ctx, command)
		return cpu, err
	}
	own.once = func(ctx context.Context) (float64, error) {
		if rate == 0 {
			if _, err := other.once(ctx); err != nil {
				return 0, fmt.Errorf("wrk, which sets the rate, failed: %w", err)
			}
		}
		return ourPolls(ctx, command, rate)
	}
	return []side{own, other}
}

// pollTime is the polling time of each side.
const pollTime = 5 * time.Second

// Both sides use the same number of keep-alive connections. A scenario polls at most every
// millisecond per connection, so that 64 connections could not reach the 112,252/s of wrk.
const (
	pollConnections = 128
	pollInterval    = time.Millisecond // at least
)

// wrkPolls measures the CPU time of a poll in wrk, in µs, and its polls per second.
func wrkPolls(ctx context.Context, command string) (cpu, rate float64, err error) {
	server, err := ours(command, "shortpoll")(ctx)
	if err != nil {
		return 0, 0, err
	}
	defer server.end()
	cursor, err := now(ctx, server.address)
	if err != nil {
		return 0, 0, err
	}
	p, err := start(ctx, loadCore, "wrk", "-t1", "-c"+strconv.Itoa(pollConnections), "-d"+pollTime.String(), "http://"+server.address+"/v1/poll?topic=t&after="+cursor)
	if err != nil {
		return 0, 0, err
	}
	defer p.end()
	printed, err := p.all()
	if err != nil {
		return 0, 0, err
	}
	polls, err := wrkRequests(printed)
	if err != nil {
		return 0, 0, err
	}
	used := p.cmd.ProcessState.UserTime() + p.cmd.ProcessState.SystemTime()
	return float64(used) / float64(time.Microsecond) / polls, polls / pollTime.Seconds(), nil
}

// wrkRequests reads the number of requests from the output of wrk.
func wrkRequests(printed string) (float64, error) {
	requests := ""
	for line := range strings.Lines(printed) {
		if strings.Contains(line, "Non-2xx") {
			return 0, fmt.Errorf("wrk was refused: %s", strings.TrimSpace(line))
		}
		if fields := strings.Fields(line); len(fields) > 2 && fields[1] == "requests" && fields[2] == "in" {
			requests = fields[0]
		}
	}
	if requests == "" {
		return 0, fmt.Errorf("wrk printed no number of requests, but %q", child.LastLine(printed))
	}
	return positive(requests)
}

// now returns the current cursor of a server.
func now(ctx context.Context, address string) (string, error) {
	c, err := connectGroup(ctx, address, protocol{subscribe: "GET /v1/poll?topic=t HTTP/1.1\r\nHost: " + address + "\r\n\r\n"}, 1)
	if err != nil {
		return "", err
	}
	cursor := between(c.buffer[:], `{"cursor":"`, `"`)
	if cursor == "" {
		err = errors.New("the response to a poll has no cursor")
	}
	return cursor, errors.Join(err, c.close())
}

// ourPolls measures the CPU time of a poll in our generator at a rate, in µs. It is a normal
// run that records every sample.
func ourPolls(ctx context.Context, command string, rate float64) (float64, error) {
	t, err := lastTrial(ctx, command, fmt.Sprintf(pollScenario, pollConnections, pollEvery(rate), pollTime))
	polls := t.Cost.Wire.Polls
	// wrk polls again after each response and saturates the server. Our generator skips polls
	// that are due while the previous one is outstanding. Fewer polls cost more per poll.
	if reached := float64(polls) / t.Cost.Span.Seconds(); err == nil && reached < 0.6*rate {
		err = notReached(reached, rate, "/s")
	}
	return perMessage(t.Cost.Generator.CPU, polls), err
}

// pollEvery returns the interval per connection for a total rate.
func pollEvery(rate float64) time.Duration {
	return max(time.Duration(pollConnections/rate*float64(time.Second)).Round(time.Microsecond), pollInterval)
}

const pollScenario = `version: 1
name: polls
transports: [shortpoll]
clients: {count: %d}
publish: {by: backend, rate: 1/s, arrivals: periodic}
payload: {size: 64B}
shortpoll: {interval: %s}
window: %s
repetitions: 1
`

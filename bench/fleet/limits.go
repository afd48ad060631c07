package fleet

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"pushbench/bench/agent"
	"pushbench/bench/clock"
)

// mostTime bounds each step of an agent. It is longer than the longest warm-up and window of a scenario.
const mostTime = 3 * time.Hour

// failed is a step of a trial that failed, whichever it was.
const failed = "a step that failed"

// before lists the steps of a trial before each. The empty one is the time between two trials.
var before = map[string][]string{
	"Ceiling":         {""},
	"IdleStalls":      {""},
	"IdleMemory":      {""},
	"StartServers":    {""},
	"StartGenerators": {"", "StartServers"},
	"Lap":             {"StartServers", "StartGenerators", "Connect", "Idle", "Measure", "Audit"},
	"Connect":         {"StartGenerators"},
	"Idle":            {"StartServers", "Connect"}, // without load generators, or with
	"Measure":         {"Idle"},
	"Audit":           {"Measure"},
}

// A progress is how far an agent is: see agent.Agent.
type progress struct {
	begun bool
	last  string // step of the trial
}

// check refuses a step that does not follow what was done.
func (p progress) check(step string) error {
	allowed := before[step]
	switch {
	case step == "Begin" && p.begun:
		return fmt.Errorf("%s is not allowed twice; allowed: once until Finish", step)
	case allowed == nil:
		return nil
	case !p.begun:
		return fmt.Errorf("%s is not allowed before Begin", step)
	case slices.Contains(allowed, p.last):
		return nil
	case p.last == "":
		return fmt.Errorf("%s is not allowed between two trials; allowed: after %s", step, strings.Join(allowed, " or "))
	case allowed[0] == "" && len(allowed) == 1:
		return fmt.Errorf("%s is not allowed in a trial, after %s; allowed: after EndTrial", step, p.last)
	default:
		return fmt.Errorf("%s is not allowed after %s; allowed: after %s", step, p.last, strings.TrimPrefix(strings.Join(allowed, " or "), " or "))
	}
}

// note notes a step that was performed.
func (p *progress) note(step string, err error) {
	switch allowed := before[step]; {
	case step == "Begin":
		p.begun = err == nil
	case step == "Finish":
		p.begun = false
	case step == "EndTrial":
		p.last = ""
	case len(allowed) == 1 && allowed[0] == "" && step != "StartServers": // not of a trial
	case allowed != nil && err != nil:
		p.last = failed
	case allowed != nil && step != "Lap":
		p.last = step
	}
}

// check refuses a request that is out of order, or exceeds what the agent allows, before anything is done.
func (a *Agent) check(step string, q request) (j agent.Job, err error) {
	if err := a.progress.check(step); err != nil {
		return j, err
	}
	if q.Duration < 0 || q.Duration > mostTime {
		return j, fmt.Errorf("a time of %v is not allowed by this agent; allowed: 0 to %v", q.Duration, mostTime)
	}
	switch step {
	case "Ceiling":
		if j, err = q.Job.decode(); err == nil {
			err = a.fits(j)
		}
	case "IdleMemory":
		if j, err = q.Job.decode(); err != nil {
			break
		}
		if err = hasTransport(j); err == nil && (q.Clients.First < 1 || q.Clients.Added < 1) {
			err = fmt.Errorf("%d and %d idle clients are not allowed; allowed: 1 or more", q.Clients.First, q.Clients.Added)
		}
	case "StartServers", "StartGenerators":
		if j, err = q.Job.decode(); err != nil {
			break
		}
		if err = hasTransport(j); err == nil {
			err = a.fits(j)
		}
		if err == nil {
			err = a.loads(q, j)
		}
	case "Measure":
		w, now := q.Window, clock.Now()
		if late := now.Sub(w.Start); late > 0 {
			return j, fmt.Errorf("the start of the warm-up arrived %v too late", clock.Round(late))
		}
		if w.Opens < w.Start || w.Closes < w.Opens || w.Closes > now.Add(mostTime) {
			err = fmt.Errorf("a window from %v to %v after a start in %v is not allowed by this agent; allowed: in this order, and an end within %v", w.Opens.Sub(w.Start), w.Closes.Sub(w.Start), w.Start.Sub(now), mostTime)
		}
	}
	return j, err
}

// hasTransport refuses a transport that the scenario does not have.
func hasTransport(j agent.Job) error {
	if t := j.Measured.Transport; !slices.Contains(j.Scenario.Transports, t) {
		return fmt.Errorf("the scenario does not have the transport %.40q", t)
	}
	return nil
}

// fits refuses more connections per process than the machine's file limit.
func (a *Agent) fits(j agent.Job) error {
	s := j.Scenario
	if share := int64(s.Sessions() / s.Servers); a.files > 0 && share > a.files {
		return fmt.Errorf("%d clients on each of %d servers are not allowed by this agent; allowed: its limit of %d open files", share, s.Servers, a.files)
	}
	return nil
}

// loads refuses load generators that differ from the job, for which the limits were checked, and servers that the agent may
// not load.
func (a *Agent) loads(q request, j agent.Job) error {
	if len(q.Prepare) > j.Scenario.Servers {
		return fmt.Errorf("%d load generators for %d servers are not allowed; allowed: one for each", len(q.Prepare), j.Scenario.Servers)
	}
	for _, p := range q.Prepare {
		if p.Scenario != q.Job.Scenario || p.Transport != string(j.Measured.Transport) || p.Replica < 0 || p.Replica >= j.Scenario.Servers {
			return fmt.Errorf("load generator %d has another scenario, transport or number of servers than the trial", p.Replica+1)
		}
	}
	return a.allowed(q.Prepare)
}

package scenarios

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"pushbench/scenarios/transports"
)

// What one trial may amount to: its schedule and its ledger are held in memory.
const (
	maxMessages      = 50_000_000    // planned in warm-up and window
	maxDeliveries    = 1_000_000_000 // planned (message, subscriber) pairs
	maxSubscriptions = 10_000_000    // (client, topic) pairs
)

// Other limits that concern more than one field. Those of a field are its struct tags.
const (
	maxHosts           = 1000                  // behind one router: its kernel knows the way to as many neighbours (gc_thresh3)
	maxVisitors   Rate = 400                   // a port that was left rests for a minute: 28,000 of them last so long
	minQuiet           = Duration(time.Second) // of heartbeats and of routers that forget: conntrack counts whole seconds
	maxConnecting      = Duration(time.Hour)
)

// A conflict is a condition between fields, each allowed by itself, that is not met.
type conflict struct {
	field   string // where the error points
	value   string // of it; "" where the message says enough
	message string
}

// conflictAt makes a conflict; without a value the message says enough.
func conflictAt(field string, value any, format string, args ...any) *conflict {
	c := &conflict{field: field, message: fmt.Sprintf(format, args...)}
	if value != nil {
		c.value = fmt.Sprint(value)
	}
	return c
}

// validate returns the first condition between fields that s does not meet. The order
// counts: an earlier one may be what makes a later one meaningful.
func (s *Scenario) validate() *conflict {
	if c := s.validateAlone(); c != nil {
		return c
	}
	cases := s.Configurations()
	if c := s.validateAssertions(cases); c != nil || !s.SweepsLoad() {
		return c
	}
	for _, of := range cases {
		if c := s.For(of).validateAlone(); c != nil {
			return conflictAt("sweep", nil, "has a case, %s, whose %s of %s %s", of.Name(), c.field, c.value, c.message)
		}
	}
	return nil
}

// validateAlone leaves out what only all cases together can break.
func (s *Scenario) validateAlone() *conflict {
	for _, a := range axes {
		if c := a.conflict(s); c != nil {
			return c
		}
	}
	for _, part := range []func(*Scenario) *conflict{
		(*Scenario).validateRoles, (*Scenario).validateNetwork, (*Scenario).validateTimes, (*Scenario).validateLoad,
	} {
		if c := part(s); c != nil {
			return c
		}
	}
	return nil
}

// validateRoles is about who there is, and who sends what to whom.
func (s *Scenario) validateRoles() *conflict {
	switch {
	case (s.Payload.Size > 0) == (len(s.Payload.Sizes) > 0):
		return conflictAt("payload", nil, "holds neither or both; allowed: either size or sizes")
	case s.Topics.PerClient > s.Topics.Count:
		return conflictAt("topics.per_client", s.Topics.PerClient, "is not allowed; allowed: at most topics.count, which is %d", s.Topics.Count)
	case s.Servers > s.Clients.Count:
		return conflictAt("servers", s.Servers, "is more than there are clients to serve; allowed: at most clients.count, which is %d", s.Clients.Count)
	// A client publishes to its own server, and nothing carries that to the others.
	case s.Servers > 1 && s.ClientsPublish():
		return conflictAt("servers", s.Servers, "is not allowed where clients publish, as no server knows what was published to another; allowed: 1, or publish.by: backend, which posts to every server, and no inputs")
	case s.Upstream.Rate > 0 && s.Publish.By != ByBackend:
		return conflictAt("upstream.rate", s.Upstream.Rate, "is not allowed beside publish.by: %s, which go up the same way; allowed: with publish.by: backend", s.Publish.By)
	case s.ShortLived.Rate > 0 && (s.Servers > 1 || s.Network.NAT || s.ServerDials()):
		return conflictAt("short_lived.rate", s.ShortLived.Rate, "is not allowed, as visitors have no host and no server of their own, and nobody can dial who has left; allowed: with servers: 1, without a router and without webhooks")
	case s.ShortLived.Rate > maxVisitors:
		return conflictAt("short_lived.rate", s.ShortLived.Rate, "is more than ports last for; allowed: at most %s", maxVisitors)
	case s.Replies.Size > 0 && !s.asksEach():
		return conflictAt("replies", nil, "is not allowed, as who answers what could not be told; allowed: with publish.by: backend, a topic for each client of its own (topics.count: clients.count, spread: even), delivery: every, servers: 1, and no inputs")
	}
	return nil
}

// validateClaims is about what a run must find.
func (s *Scenario) validateAssertions(cases []Configuration) *conflict {
	for i, need := range s.Requirements {
		if need.Configuration != "" || need.OtherConfiguration != "" {
			return conflictAt(fmt.Sprintf("requirements[%d]", i), need.Text, "cannot be held against a run: a need is of whichever transport is to be chosen, so it names none")
		}
	}
	if missing := s.Unmeasured(cases); len(missing) > 0 {
		var names []string
		for _, c := range cases {
			names = append(names, c.Name())
		}
		return conflictAt("assertions", missing[0].Text, "is of something that is not measured; measured: %s", strings.Join(names, ", "))
	}
	return nil
}

// validateNetwork is about what lies between the clients and the server.
func (s *Scenario) validateNetwork() *conflict {
	n := s.Network
	packets := n.Link == PacketLink
	distant := s.longestRTT() > 0 || n.Jitter > 0 || n.Rate > 0
	const ofStream = "is not allowed of a stream, which has no packets; allowed: %v, or network.link: packets"
	switch {
	// What is on its way in a stream link is taken apart when a connection is closed; of records no reader could tell what they were.
	case s.Secured() && !packets && distant:
		return conflictAt("network.link", n.Link, "is not allowed with TLS over a distance; allowed: packets")
	case n.NAT && !packets:
		return conflictAt("network.nat", n.NAT, ofStream, false)
	case s.ServerDials() && s.Secured():
		return conflictAt("transports", transports.Webhook, "is not allowed with TLS, as clients have no certificates; allowed: the others")
	// What the server opens, a client could delay only once it is open.
	case s.ServerDials() && !packets && distant:
		return conflictAt("network.link", n.Link, "is not allowed with webhooks over a distance; allowed: packets")
	case n.Forward && !(n.NAT && s.ServerDials()):
		return conflictAt("network.forward", n.Forward, "has nobody to let in; allowed: with network.nat: true, and webhook among the transports")
	case n.IdleTimeout > 0 && !n.NAT:
		return conflictAt("network.idle_timeout", n.IdleTimeout, "is not allowed without a router; allowed: 0s, or network.nat: true")
	case n.IdleTimeout%minQuiet != 0:
		return conflictAt("network.idle_timeout", n.IdleTimeout, "is not allowed; allowed: 0s, which is never, or whole seconds")
	case n.NAT && s.Sessions() > maxHosts:
		return conflictAt("clients.count", s.Clients.Count, "is too many behind one router, each a host of its own; allowed: at most %d, reporters included", maxHosts)
	case n.Loss > 0 && !packets:
		return conflictAt("network.loss", n.Loss, ofStream, Percent(0))
	case n.Reorder > 0 && !packets:
		return conflictAt("network.reorder", n.Reorder, ofStream, Percent(0))
	}
	return nil
}

// validateTimes is about how long the parts of a trial take.
func (s *Scenario) validateTimes() *conflict {
	switch {
	case s.Heartbeat > 0 && s.Heartbeat < minQuiet:
		return conflictAt("heartbeat", s.Heartbeat, "is not allowed; allowed: 0s, which is never, or at least 1s")
	case s.Warmup >= s.Window:
		return conflictAt("warmup", s.Warmup, "is not allowed; allowed: shorter than window, which is %s", s.Window)
	// Otherwise the last messages of a window would count as lost because no client asked for them.
	case s.Drain < s.longestInterval() && s.measures(isTimed):
		return conflictAt("drain", s.Drain, "is not allowed; allowed: at least the interval of short polls, which is %s", s.longestInterval())
	case s.Drain < s.longestWait():
		return conflictAt("drain", s.Drain, "is too short for %s; allowed: at least %s", s.waits(), s.longestWait())
	case float64(s.Sessions())/float64(s.Clients.ConnectRate) > maxConnecting.seconds():
		return conflictAt("clients.connect_rate", s.Clients.ConnectRate, "is too low for %d clients; allowed: all connected within %s", s.Sessions(), maxConnecting)
	}
	return nil
}

// validateLoad is about how much there is of everything.
func (s *Scenario) validateLoad() *conflict {
	counted := s.Warmup + s.Window
	switch {
	case float64(s.Publish.Rate)*s.Window.seconds() < float64(s.fewest()):
		return conflictAt("publish.rate", s.Publish.Rate, "is too low for a window of %s; allowed: at least %d due in it", s.Window, s.fewest())
	case s.messages(counted) > maxMessages:
		return conflictAt("publish.rate", s.Publish.Rate, "is too high for a warmup and window of %s: %s messages, inputs included; allowed: at most %d",
			counted, count(s.messages(counted)), maxMessages)
	case s.Clients.Count*s.Topics.PerClient > maxSubscriptions:
		return conflictAt("topics.per_client", s.Topics.PerClient, "is too much for %d clients; allowed: at most %d subscriptions together", s.Clients.Count, maxSubscriptions)
	case s.deliveries() > maxDeliveries:
		return conflictAt("publish.rate", s.Publish.Rate, "is too high for the subscribers: %s deliveries in warmup and window; allowed: at most %d", count(s.deliveries()), maxDeliveries)
	}
	return nil
}

// ServerDials says whether there are clients to which the server opens the connection.
func (s *Scenario) ServerDials() bool {
	return s.measures(func(t transports.Transport) bool { return t.ServerDials })
}

// measures says whether some transport of the scenario has a trait.
func (s *Scenario) measures(trait func(transports.Transport) bool) bool {
	return slices.ContainsFunc(s.Transports, func(t Transport) bool { return trait(transports.Of(t)) })
}

// asksEach says whether each message is for one client, which may answer it.
func (s *Scenario) asksEach() bool {
	return s.Publish.By == ByBackend && s.Topics.Count == s.Clients.Count && s.Topics.PerClient == 1 && s.Topics.Spread == Even &&
		s.Delivery == Every && s.Servers == 1 && s.Upstream.Rate == 0
}

// longestWait is how long after it is due a message can come when nothing but the
// distance, the polls and the flush windows delay it: up from its author, then down, and
// in polling on a new connection as much as two round trips until the next poll is there.
func (s *Scenario) longestWait() Duration {
	n := s.Network
	held := s.longestBatchingDelay()
	if s.measures(isTimed) { // which has no flush window
		held = max(held, s.longestInterval())
	}
	return 3*(s.longestRTT()+2*n.Jitter) + held
}

// waits names what longestWait is made of.
func (s *Scenario) waits() string {
	var said []string
	if rtt := s.longestRTT(); rtt > 0 || s.Network.Jitter > 0 {
		said = append(said, fmt.Sprintf("a round trip of %s and jitter of %s", rtt, s.Network.Jitter))
	}
	if flush := s.longestBatchingDelay(); flush > 0 {
		said = append(said, fmt.Sprintf("a flush window of %s", flush))
	}
	return strings.Join(said, " and ")
}

// messages is how many messages and inputs are due in a stretch of time, on average.
func (s *Scenario) messages(d Duration) float64 {
	return float64(s.Publish.Rate+s.Upstream.Rate) * d.seconds()
}

// fewest is how many messages a window must hold to have measured anything.
func (s *Scenario) fewest() int {
	if s.Publish.Arrivals == Burst {
		return s.Publish.Burst
	}
	return 1
}

// deliveries is how many (message, subscriber) pairs warm-up and window plan.
func (s *Scenario) deliveries() float64 { return s.DeliveryRate() * (s.Warmup + s.Window).seconds() }

func (d Duration) seconds() float64 { return float64(d) / 1e9 }

// count writes a number of things that need not be whole.
func count(x float64) string { return strconv.FormatFloat(math.Ceil(x), 'f', 0, 64) }

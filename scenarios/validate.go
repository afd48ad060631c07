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

// Limits of one trial, whose schedule and ledger are kept in memory.
const (
	maxMessages      = 50_000_000    // planned in warm-up and window
	maxDeliveries    = 1_000_000_000 // planned (message, subscriber) pairs
	maxSubscriptions = 10_000_000    // (client, topic) pairs
)

// Other limits that concern several fields. The limits of one field are its struct tags.
const (
	maxHosts           = 1000                  // behind one router: its kernel's neighbour table has as many entries (gc_thresh3)
	maxShortLived Rate = 400                   // per second: a closed port is reusable after a minute, and there are 28,000
	minQuiet           = Duration(time.Second) // shortest heartbeat and idle timeout: conntrack counts whole seconds
	maxConnecting      = Duration(time.Hour)
)

// A conflict is an unmet condition between fields that are each allowed by themselves.
type conflict struct {
	field   string // its position is that of the error
	value   string // of the field; "" if the message is clear without it
	message string
}

// conflictAt returns a conflict; value is nil if the message is clear without it.
func conflictAt(field string, value any, format string, args ...any) *conflict {
	c := &conflict{field: field, message: fmt.Sprintf(format, args...)}
	if value != nil {
		c.value = fmt.Sprint(value)
	}
	return c
}

// validate returns the first condition between fields that s does not meet. The order matters: a
// later condition may only make sense if an earlier one is met.
func (s *Scenario) validate() *conflict {
	if c := s.validateAlone(); c != nil {
		return c
	}
	if c := pricesConflict("prices.", s.Prices); c != nil {
		return c
	}
	configurations := s.Configurations()
	if c := s.validateAssertions(configurations); c != nil || !s.SweepsLoad() {
		return c
	}
	for _, configuration := range configurations {
		if c := s.For(configuration).validateAlone(); c != nil {
			return conflictAt("sweep", nil, "has a configuration, %s, whose %s of %s %s", configuration.Name(), c.field, c.value, c.message)
		}
	}
	return nil
}

// validateAlone checks the conditions that concern each configuration by itself.
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

// validateRoles checks clients, servers and publishers, and what they send to each other.
func (s *Scenario) validateRoles() *conflict {
	switch {
	case (s.Payload.Size > 0) == (len(s.Payload.Sizes) > 0):
		return conflictAt("payload", nil, "has neither or both of size and sizes; allowed: exactly one of them")
	case s.Topics.PerClient > s.Topics.Count:
		return conflictAt("topics.per_client", s.Topics.PerClient, "is not allowed; allowed: at most topics.count, which is %d", s.Topics.Count)
	case s.Servers > s.Clients.Count:
		return conflictAt("servers", s.Servers, "is more than the number of clients; allowed: at most clients.count, which is %d", s.Clients.Count)
	// A client publishes to its own server, and the servers do not exchange messages.
	case s.Servers > 1 && s.ClientsPublish():
		return conflictAt("servers", s.Servers, "is not allowed if clients publish, as servers do not exchange messages; allowed: 1, or publish.by: backend, which posts to every server, without upstream")
	case s.Upstream.Rate > 0 && s.Publish.By != ByBackend:
		return conflictAt("upstream.rate", s.Upstream.Rate, "is not allowed with publish.by: %s, whose publications use the same connections; allowed: with publish.by: backend", s.Publish.By)
	case s.ShortLived.Rate > 0 && (s.Servers > 1 || s.Network.NAT || s.ServerDials()):
		return conflictAt("short_lived.rate", s.ShortLived.Rate, "is not allowed, as short-lived clients have no host and no server of their own, and no server can dial a client that has left; allowed: with servers: 1, without a router and without webhooks")
	case s.ShortLived.Rate > maxShortLived:
		return conflictAt("short_lived.rate", s.ShortLived.Rate, "requires more ports than there are; allowed: at most %s", maxShortLived)
	case s.Replies.Size > 0 && !s.addressesOneClient():
		return conflictAt("replies", nil, "is not allowed, as replies could not be assigned to messages; allowed: with publish.by: backend, one topic per client (topics.count: clients.count, spread: even), delivery: every, servers: 1, and without upstream")
	}
	return nil
}

// validateAssertions checks that requirements and assertions can be evaluated.
func (s *Scenario) validateAssertions(configurations []Configuration) *conflict {
	for i, requirement := range s.Requirements {
		if requirement.Configuration != "" || requirement.OtherConfiguration != "" {
			return conflictAt(fmt.Sprintf("requirements[%d]", i), requirement.Text, "is not allowed: a requirement applies to every transport, so it must name none; allowed: without a transport, such as \"p(99) < 50ms\"")
		}
	}
	if missing := s.Unmeasured(configurations); len(missing) > 0 {
		var names []string
		for _, c := range configurations {
			names = append(names, c.Name())
		}
		return conflictAt("assertions", missing[0].Text, "names a configuration that is not measured; allowed: %s", strings.Join(names, ", "))
	}
	return nil
}

// validateNetwork checks the path between the clients and the server.
func (s *Scenario) validateNetwork() *conflict {
	n := s.Network
	packets := n.Link == PacketLink
	distant := s.longestRTT() > 0 || n.Jitter > 0 || n.Rate > 0
	const withStream = "is not allowed with network.link: stream, which has no packets; allowed: %v, or network.link: packets"
	switch {
	// A stream link drops the bytes in flight of a closed connection, which would cut TLS records.
	case s.Secured() && !packets && distant:
		return conflictAt("network.link", n.Link, "is not allowed with TLS over a distance; allowed: packets")
	case n.NAT && !packets:
		return conflictAt("network.nat", n.NAT, withStream, false)
	case s.ServerDials() && s.Secured():
		return conflictAt("transports", transports.Webhook, "is not allowed with TLS, as clients have no certificates; allowed: the other transports")
	// A client could delay a connection that the server opens only after it is open.
	case s.ServerDials() && !packets && distant:
		return conflictAt("network.link", n.Link, "is not allowed with webhooks over a distance; allowed: packets")
	case n.Forward && !(n.NAT && s.ServerDials()):
		return conflictAt("network.forward", n.Forward, "has no effect; allowed: with network.nat: true, and webhook among the transports")
	case n.IdleTimeout > 0 && !n.NAT:
		return conflictAt("network.idle_timeout", n.IdleTimeout, "is not allowed without a router; allowed: 0s, or network.nat: true")
	case n.IdleTimeout%minQuiet != 0:
		return conflictAt("network.idle_timeout", n.IdleTimeout, "is not allowed; allowed: 0s, which means never, or whole seconds")
	case n.NAT && s.Sessions() > maxHosts:
		return conflictAt("clients.count", s.Clients.Count, "is too many hosts behind one router; allowed: at most %d, publish-only clients included", maxHosts)
	case n.Loss > 0 && !packets:
		return conflictAt("network.loss", n.Loss, withStream, Percent(0))
	case n.Reorder > 0 && !packets:
		return conflictAt("network.reorder", n.Reorder, withStream, Percent(0))
	}
	return nil
}

// validateTimes checks the durations of the parts of a trial.
func (s *Scenario) validateTimes() *conflict {
	switch {
	case s.Heartbeat > 0 && s.Heartbeat < minQuiet:
		return conflictAt("heartbeat", s.Heartbeat, "is not allowed; allowed: 0s, which means none, or at least 1s")
	case s.Warmup >= s.Window:
		return conflictAt("warmup", s.Warmup, "is not allowed; allowed: shorter than window, which is %s", s.Window)
	// Otherwise the last messages of a window would count as lost because no client polled for them.
	case s.Drain < s.longestInterval() && s.measures(isTimed):
		return conflictAt("drain", s.Drain, "is not allowed; allowed: at least shortpoll.interval, which is %s", s.longestInterval())
	case s.Drain < s.longestWait():
		return conflictAt("drain", s.Drain, "is too short for %s; allowed: at least %s", s.waits(), s.longestWait())
	case float64(s.Sessions())/float64(s.Clients.ConnectRate) > maxConnecting.seconds():
		return conflictAt("clients.connect_rate", s.Clients.ConnectRate, "is too low for %d clients; allowed: all connected within %s", s.Sessions(), maxConnecting)
	}
	return nil
}

// validateLoad checks the numbers of messages, subscriptions and deliveries.
func (s *Scenario) validateLoad() *conflict {
	counted := s.Warmup + s.Window
	switch {
	case float64(s.Publish.Rate)*s.Window.seconds() < float64(s.fewest()):
		return conflictAt("publish.rate", s.Publish.Rate, "is too low for a window of %s; allowed: at least %d due in the window", s.Window, s.fewest())
	case s.messages(counted) > maxMessages:
		return conflictAt("publish.rate", s.Publish.Rate, "is too high for a warmup and window of %s: %s messages, upstream messages included; allowed: at most %d",
			counted, count(s.messages(counted)), maxMessages)
	case s.Clients.Count*s.Topics.PerClient > maxSubscriptions:
		return conflictAt("topics.per_client", s.Topics.PerClient, "is too many for %d clients; allowed: at most %d subscriptions in total", s.Clients.Count, maxSubscriptions)
	case s.deliveries() > maxDeliveries:
		return conflictAt("publish.rate", s.Publish.Rate, "is too high for the subscribers: %s deliveries in warmup and window; allowed: at most %d", count(s.deliveries()), maxDeliveries)
	}
	return nil
}

// ServerDials reports whether any transport has connections that the server opens.
func (s *Scenario) ServerDials() bool {
	return s.measures(func(t transports.Transport) bool { return t.ServerDials })
}

// measures reports whether any transport of the scenario has a trait.
func (s *Scenario) measures(trait func(transports.Transport) bool) bool {
	return slices.ContainsFunc(s.Transports, func(t Transport) bool {
		offered := len(s.Sweep.Target) == 0 || slices.ContainsFunc(s.Sweep.Target, func(name TargetName) bool { return s.offers(name, t) })
		return offered && trait(transports.Of(t))
	})
}

// addressesOneClient reports whether each message has one recipient, which may reply to it.
func (s *Scenario) addressesOneClient() bool {
	return s.Publish.By == ByBackend && s.Topics.Count == s.Clients.Count && s.Topics.PerClient == 1 && s.Topics.Spread == Even &&
		s.Delivery == Every && s.Servers == 1 && s.Upstream.Rate == 0
}

// longestWait returns the longest time from a message's due instant to its delivery if only the
// distance, the polls and the batching delays delay it: upstream from the author, then downstream,
// and with polling on a new connection up to two round trips until the next poll arrives.
func (s *Scenario) longestWait() Duration {
	n := s.Network
	delay := s.longestBatchingDelay()
	if s.measures(isTimed) { // without a batching delay
		delay = max(delay, s.longestInterval())
	}
	return 3*(s.longestRTT()+2*n.Jitter) + delay
}

// waits names the parts of longestWait.
func (s *Scenario) waits() string {
	var parts []string
	if rtt := s.longestRTT(); rtt > 0 || s.Network.Jitter > 0 {
		parts = append(parts, fmt.Sprintf("a round-trip time of %s and jitter of %s", rtt, s.Network.Jitter))
	}
	if delay := s.longestBatchingDelay(); delay > 0 {
		parts = append(parts, fmt.Sprintf("a batching delay of %s", delay))
	}
	return strings.Join(parts, " and ")
}

// messages returns the mean number of messages and upstream messages that are due in a period.
func (s *Scenario) messages(d Duration) float64 {
	return float64(s.Publish.Rate+s.Upstream.Rate) * d.seconds()
}

// fewest returns the number of messages that a window needs at least.
func (s *Scenario) fewest() int {
	if s.Publish.Arrivals == Burst {
		return s.Publish.Burst
	}
	return 1
}

// deliveries returns the number of planned (message, subscriber) pairs in warm-up and window.
func (s *Scenario) deliveries() float64 { return s.DeliveryRate() * (s.Warmup + s.Window).seconds() }

func (d Duration) seconds() float64 { return float64(d) / 1e9 }

// count formats a number, rounded up.
func count(x float64) string { return strconv.FormatFloat(math.Ceil(x), 'f', 0, 64) }

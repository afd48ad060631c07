package scenarios

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml/token"

	"pushbench/scenarios/transports"
)

// What one trial may amount to: its schedule and its ledger are held in memory.
const (
	maxMessages      = 50_000_000    // planned in warm-up and window
	maxDeliveries    = 1_000_000_000 // planned (message, subscriber) pairs
	maxSubscriptions = 10_000_000    // (client, topic) pairs
)

// An agreement is a condition between fields that are each allowed by themselves.
type agreement struct {
	field string // the one to blame, and where the error points
	holds func(*Scenario) bool
	says  func(*Scenario) (value, message string)
}

// agreements are checked in order, those of the axes first; an earlier one may be what makes
// a later one meaningful.
var agreements = append(axisAgreements(), []agreement{
	{
		"payload",
		func(s *Scenario) bool { return (s.Payload.Size > 0) != (len(s.Payload.Sizes) > 0) },
		func(*Scenario) (string, string) { return "", "holds neither or both; allowed: either size or sizes" },
	},
	{
		"topics.per_client",
		func(s *Scenario) bool { return s.Topics.PerClient <= s.Topics.Count },
		func(s *Scenario) (string, string) {
			return strconv.Itoa(s.Topics.PerClient), fmt.Sprintf("is not allowed; allowed: at most topics.count, which is %d", s.Topics.Count)
		},
	},
	{
		"servers",
		func(s *Scenario) bool { return s.Servers <= s.Clients.Count },
		func(s *Scenario) (string, string) {
			return strconv.Itoa(s.Servers), fmt.Sprintf("is more than there are clients to serve; allowed: at most clients.count, which is %d", s.Clients.Count)
		},
	},
	{
		"servers",
		// A client publishes to its own server, and nothing carries that to the others.
		func(s *Scenario) bool { return s.Servers == 1 || !s.ClientsPublish() },
		func(s *Scenario) (string, string) {
			return strconv.Itoa(s.Servers), "is not allowed where clients publish, as no server knows what was published to another; allowed: 1, or publish.by: backend, which posts to every server, and no inputs"
		},
	},
	{
		"inputs.rate",
		func(s *Scenario) bool { return s.Inputs.Rate == 0 || s.Publish.By == ByBackend },
		func(s *Scenario) (string, string) {
			return s.Inputs.Rate.String(), "is not allowed beside publish.by: " + string(s.Publish.By) + ", which go up the same way; allowed: with publish.by: backend"
		},
	},
	{
		"network.link",
		// What is on its way in a stream link is taken apart when a connection is closed; of records nobody could tell what they were.
		func(s *Scenario) bool {
			n := s.Network
			return !s.Secured() || n.Link == PacketLink || s.longestRTT() == 0 && n.Jitter == 0 && n.Rate == 0
		},
		func(s *Scenario) (string, string) {
			return string(s.Network.Link), "is not allowed with TLS over a distance; allowed: packets"
		},
	},
	ofPackets("nat", func(n Network) bool { return n.NAT }),
	{
		"transports",
		func(s *Scenario) bool { return !s.ServerDials() || !s.Secured() },
		func(*Scenario) (string, string) {
			return string(Webhook), "is not allowed with TLS, as clients have no certificates; allowed: the others"
		},
	},
	{
		"network.link",
		// What the server opens, a client could delay only once it is open.
		func(s *Scenario) bool {
			n := s.Network
			return !s.ServerDials() || n.Link == PacketLink || s.longestRTT() == 0 && n.Jitter == 0 && n.Rate == 0
		},
		func(s *Scenario) (string, string) {
			return string(s.Network.Link), "is not allowed with webhooks over a distance; allowed: packets"
		},
	},
	{
		"network.forward",
		func(s *Scenario) bool { return !s.Network.Forward || s.Network.NAT && s.ServerDials() },
		func(*Scenario) (string, string) {
			return "true", "has nobody to let in; allowed: with network.nat: true, and webhook among the transports"
		},
	},
	{
		"visitors.rate",
		func(s *Scenario) bool {
			return s.Visitors.Rate == 0 || s.Servers == 1 && !s.Network.NAT && !s.ServerDials()
		},
		func(s *Scenario) (string, string) {
			return s.Visitors.Rate.String(), "is not allowed, as visitors have no host and no server of their own, and nobody can dial who has left; allowed: with servers: 1, without a router and without webhooks"
		},
	},
	{
		"visitors.rate",
		func(s *Scenario) bool { return s.Visitors.Rate <= maxVisitors },
		func(s *Scenario) (string, string) {
			return s.Visitors.Rate.String(), fmt.Sprintf("is more than ports last for; allowed: at most %s", maxVisitors)
		},
	},
	{
		"answers",
		func(s *Scenario) bool { return s.Answers.Size == 0 || s.asksEach() },
		func(*Scenario) (string, string) {
			return "", "is not allowed, as who answers what could not be told; allowed: with publish.by: backend, a topic for each client of its own (topics.count: clients.count, spread: even), delivery: every, servers: 1, and no inputs"
		},
	},
	{
		"network.idle_timeout",
		func(s *Scenario) bool { return s.Network.IdleTimeout == 0 || s.Network.NAT },
		func(s *Scenario) (string, string) {
			return s.Network.IdleTimeout.String(), "is not allowed without a router; allowed: 0s, or network.nat: true"
		},
	},
	{
		"network.idle_timeout",
		func(s *Scenario) bool { return quiet(s.Network.IdleTimeout) },
		func(s *Scenario) (string, string) {
			return s.Network.IdleTimeout.String(), "is not allowed; allowed: 0s, which is never, or whole seconds"
		},
	},
	{
		"clients.count",
		func(s *Scenario) bool { return !s.Network.NAT || s.Sessions() <= maxHosts },
		func(s *Scenario) (string, string) {
			return strconv.Itoa(s.Clients.Count), fmt.Sprintf("is too many behind one router, each a host of its own; allowed: at most %d, reporters included", maxHosts)
		},
	},
	{
		"heartbeat",
		func(s *Scenario) bool { return s.Heartbeat == 0 || s.Heartbeat >= minQuiet },
		func(s *Scenario) (string, string) {
			return s.Heartbeat.String(), "is not allowed; allowed: 0s, which is never, or at least 1s"
		},
	},
	ofPackets("loss", func(n Network) Percent { return n.Loss }),
	ofPackets("reorder", func(n Network) Percent { return n.Reorder }),
	{
		"warmup",
		func(s *Scenario) bool { return s.Warmup < s.Window },
		func(s *Scenario) (string, string) {
			return s.Warmup.String(), fmt.Sprintf("is not allowed; allowed: shorter than window, which is %s", s.Window)
		},
	},
	{
		"drain",
		// Otherwise the last messages of a window would count as lost because nobody asked for them.
		func(s *Scenario) bool {
			return s.Drain >= s.longestInterval() || !s.measures(isTimed)
		},
		func(s *Scenario) (string, string) {
			return s.Drain.String(), fmt.Sprintf("is not allowed; allowed: at least the interval of short polls, which is %s", s.longestInterval())
		},
	},
	{
		"drain",
		func(s *Scenario) bool { return s.Drain >= s.longestWait() },
		func(s *Scenario) (string, string) {
			return s.Drain.String(), fmt.Sprintf("is too short for %s; allowed: at least %s", s.waits(), s.longestWait())
		},
	},
	{
		"publish.rate",
		func(s *Scenario) bool { return float64(s.Publish.Rate)*s.Window.seconds() >= float64(s.fewest()) },
		func(s *Scenario) (string, string) {
			return s.Publish.Rate.String(), fmt.Sprintf("is too low for a window of %s; allowed: at least %d due in it", s.Window, s.fewest())
		},
	},
	{
		"publish.rate",
		func(s *Scenario) bool { return s.messages(s.Warmup+s.Window) <= maxMessages },
		func(s *Scenario) (string, string) {
			return s.Publish.Rate.String(), fmt.Sprintf("is too high for a warmup and window of %s: %s messages, inputs included; allowed: at most %d",
				s.Warmup+s.Window, count(s.messages(s.Warmup+s.Window)), maxMessages)
		},
	},
	{
		"clients.connect_rate",
		func(s *Scenario) bool {
			return float64(s.Sessions())/float64(s.Clients.ConnectRate) <= maxPhase.seconds()
		},
		func(s *Scenario) (string, string) {
			return s.Clients.ConnectRate.String(), fmt.Sprintf("is too low for %d clients; allowed: all connected within %s", s.Sessions(), maxPhase)
		},
	},
	{
		"topics.per_client",
		func(s *Scenario) bool { return s.Clients.Count*s.Topics.PerClient <= maxSubscriptions },
		func(s *Scenario) (string, string) {
			return strconv.Itoa(s.Topics.PerClient), fmt.Sprintf("is too much for %d clients; allowed: at most %d subscriptions together", s.Clients.Count, maxSubscriptions)
		},
	},
	{
		"publish.rate",
		func(s *Scenario) bool { return s.deliveries() <= maxDeliveries },
		func(s *Scenario) (string, string) {
			return s.Publish.Rate.String(), fmt.Sprintf("is too high for the subscribers: %s deliveries in warmup and window; allowed: at most %d", count(s.deliveries()), maxDeliveries)
		},
	},
}...)

// axisAgreements are the conditions between each axis's sweep and the rest of a scenario.
func axisAgreements() (all []agreement) {
	for _, a := range axes {
		all = append(all, a.agreements()...)
	}
	return all
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
		s.Delivery == Every && s.Servers == 1 && s.Inputs.Rate == 0
}

// quiet says whether a time is one that conntrack can count.
func quiet(d Duration) bool { return d%minQuiet == 0 }

// ofPackets refuses what a stream cannot do.
func ofPackets[T comparable](name string, of func(Network) T) agreement {
	var none T
	return agreement{
		"network." + name,
		func(s *Scenario) bool { return of(s.Network) == none || s.Network.Link == PacketLink },
		func(s *Scenario) (string, string) {
			return fmt.Sprint(of(s.Network)), fmt.Sprintf("is not allowed of a stream, which has no packets; allowed: %v, or network.link: packets", none)
		},
	}
}

// agree finds the first agreement that s breaks.
func (d *document) agree(s *Scenario) error {
	for _, a := range agreements {
		if a.holds(s) {
			continue
		}
		value, message := a.says(s)
		if text := d.written[a.field]; text != "" {
			value = text // as its author knows it
		}
		return d.conflict(a.field, value, message)
	}
	cases := s.Cases()
	if missing := s.Unmeasured(cases); len(missing) > 0 {
		var names []string
		for _, c := range cases {
			names = append(names, c.Name())
		}
		return d.conflict("claims", missing[0].Text, "is of something that is not measured; measured: "+strings.Join(names, ", "))
	}
	return d.agreeInEach(s, cases)
}

// agreeInEach looks at the cases one by one, where their workloads differ.
func (d *document) agreeInEach(s *Scenario, cases []Case) error {
	if !s.SweepsLoad() {
		return nil
	}
	for _, c := range cases {
		alone := s.For(c)
		for _, a := range agreements {
			if !a.holds(alone) {
				value, message := a.says(alone)
				return d.conflict("sweep", "", fmt.Sprintf("has a case, %s, whose %s of %s %s", c.Name(), a.field, value, message))
			}
		}
	}
	return nil
}

// conflict is an error about a field that may have been left to its default: it
// then points at what encloses the field.
func (d *document) conflict(path, value, message string) *Error {
	e := d.atToken(&token.Token{Position: d.nearest(path)}, value, message)
	e.Field = path
	return e
}

// nearest is the position of the field, or else of the innermost object around it.
func (d *document) nearest(path string) *token.Position {
	for i := len(path); i > 0; i-- {
		if at, ok := d.at[path[:i]]; ok && (i == len(path) || path[i] == '.') {
			return at
		}
	}
	return d.at[""]
}

// longestWait is how long after it is due a message can come when nothing but the
// distance, the polls and the flush windows delay it: up from its author, then down, and
// in polling on a new connection as much as two round trips until the next poll is there.
func (s *Scenario) longestWait() Duration {
	n := s.Network
	held := s.longestFlush()
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
	if flush := s.longestFlush(); flush > 0 {
		said = append(said, fmt.Sprintf("a flush window of %s", flush))
	}
	return strings.Join(said, " and ")
}

// messages is how many messages and inputs are due in a stretch of time, on average.
func (s *Scenario) messages(d Duration) float64 {
	return float64(s.Publish.Rate+s.Inputs.Rate) * d.seconds()
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

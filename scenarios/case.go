package scenarios

import (
	"slices"
	"strconv"
)

// A Stack is the library that the servers' HTTP is built on.
type Stack string

// Reference is what people deploy: polling and SSE on fasthttp, WebSocket on
// net/http. NetHTTP and FastHTTP put every transport on the same library, so that
// a difference in cost between two transports is not one between two libraries.
const (
	Reference Stack = "reference"
	NetHTTP   Stack = "nethttp"
	FastHTTP  Stack = "fasthttp"
)

// Stacks lists every stack in report order.
var Stacks = []Stack{Reference, NetHTTP, FastHTTP}

// Sweep lists what else is varied besides the transport: a block measures every
// transport with every combination of what is named. At least one list is given; one
// that is empty leaves its axis at the scenario's own value.
type Sweep struct {
	Stack []Stack    `yaml:"stack,omitempty" json:"stack"` // 1 to 3 stacks, in place of the field stack
	Flush []Duration `yaml:"flush,omitempty" json:"flush"` // 1 to 8 flush windows, each at most 1s, in place of the transports' own; a short poll has none
	TLS   []bool     `yaml:"tls,omitempty" json:"tls"`     // without and with, in place of network.tls

	Heartbeat []Duration `yaml:"heartbeat,omitempty" json:"heartbeat"` // 1 to 8 heartbeats, each 0s or 1s … 10m, in place of the scenario's; a short poll has none

	Forward []bool `yaml:"forward,omitempty" json:"forward"` // webhook only: without and with rules at the router, in place of network.forward

	Interval []Duration `yaml:"interval,omitempty" json:"interval"` // shortpoll only: 1 to 16 poll intervals, each 1ms … 1h, in place of shortpoll.interval

	Clients []int  `yaml:"clients,omitempty" json:"clients"` // 1 to 16 counts, in place of clients.count
	Rate    []Rate `yaml:"rate,omitempty" json:"rate"`       // 1 to 16 rates, in place of publish.rate
	Payload []Size `yaml:"payload,omitempty" json:"payload"` // 1 to 16 sizes, in place of payload.size

	RTT           []Duration `yaml:"rtt,omitempty" json:"rtt"`                       // 1 to 16 round trips, each at most 2s, in place of network.rtt
	NewConnection []bool     `yaml:"new_connection,omitempty" json:"new_connection"` // polling only: kept alive and new for every poll, in place of the transports' own
}

// A Case is what one trial measures and what one row of a report stands for.
type Case struct {
	Transport Transport
	Stack     Stack
	Flush     Duration // 0: never hold messages back
	Interval  Duration // of short polling; 0: another transport
	RTT       Duration
	Heartbeat Duration // 0: none
	TLS       bool

	NewConnection bool // for every poll
	Forward       bool // the router lets the server in

	Clients int  // where they are swept, as are the next
	Rate    Rate // of publications
	Payload Size

	sweptStack, sweptFlush, sweptRTT, sweptHeartbeat, sweptTLS, sweptConnection, sweptForward, sweptInterval bool // they tell this case from others of its run
}

// Cases lists what a block measures, in report order: the cases of a transport
// stand together, and in them those of a stack. A short poll is answered at once,
// so it has one case, however many flush windows there are; and only polls can have a
// new connection each.
func (s *Scenario) Cases() []Case {
	var all []Case
	for _, t := range s.Transports {
		for _, stack := range s.stacks() {
			for _, flush := range s.flushes(t) {
				all = append(all, s.loads(Case{
					Transport: t, Stack: stack, Flush: flush,
					sweptStack: len(s.Sweep.Stack) > 0, sweptFlush: len(s.Sweep.Flush) > 0 && t.holds(),
				})...)
			}
		}
	}
	return all
}

// loads are a case with every workload that is measured.
func (s *Scenario) loads(c Case) (all []Case) {
	for _, c.Clients = range either(s.Sweep.Clients, len(s.Sweep.Clients) > 0, 0) {
		for _, c.Rate = range either(s.Sweep.Rate, len(s.Sweep.Rate) > 0, 0) {
			for _, c.Payload = range either(s.Sweep.Payload, len(s.Sweep.Payload) > 0, 0) {
				all = append(all, s.connections(c)...)
			}
		}
	}
	return all
}

// SweepsLoad says whether cases differ in their workload, and not in how it is carried alone.
func (s *Scenario) SweepsLoad() bool {
	return len(s.Sweep.Clients)+len(s.Sweep.Rate)+len(s.Sweep.Payload) > 0
}

// Hardest is the scenario of the case to which most deliveries a second are owed: where no
// workload is swept, the scenario as it is.
func (s *Scenario) Hardest() *Scenario {
	if !s.SweepsLoad() {
		return s
	}
	var hardest *Scenario
	for _, c := range s.Cases() {
		if one := s.For(c); hardest == nil || one.DeliveryRate() > hardest.DeliveryRate() {
			hardest = one
		}
	}
	return hardest
}

// MostClients is the largest number of clients of any case.
func (s *Scenario) MostClients() int {
	return slices.Max(either(s.Sweep.Clients, len(s.Sweep.Clients) > 0, s.Clients.Count))
}

// connections are a case with every kind of connection that is measured.
func (s *Scenario) connections(c Case) (all []Case) {
	c.sweptRTT, c.sweptTLS = len(s.Sweep.RTT) > 0, len(s.Sweep.TLS) > 0
	c.sweptConnection = len(s.Sweep.NewConnection) > 0 && c.Transport.Polls()
	c.sweptHeartbeat = len(s.Sweep.Heartbeat) > 0 && c.Transport.holds()
	c.sweptInterval = len(s.Sweep.Interval) > 0 && c.Transport == ShortPoll
	for _, c.NewConnection = range either(s.Sweep.NewConnection, c.sweptConnection, s.newConnection(c.Transport)) {
		for _, c.TLS = range either(s.Sweep.TLS, c.sweptTLS, s.Network.TLS) {
			for _, c.Heartbeat = range either(s.Sweep.Heartbeat, c.sweptHeartbeat, s.heartbeat(c.Transport)) {
				for _, c.RTT = range either(s.Sweep.RTT, c.sweptRTT, s.Network.RTT) {
					all = append(all, s.asking(c)...)
				}
			}
		}
	}
	return all
}

// asking is a case with every interval between polls that is measured.
func (s *Scenario) asking(c Case) (all []Case) {
	if c.Transport != ShortPoll {
		return s.forwarding(c)
	}
	for _, c.Interval = range either(s.Sweep.Interval, c.sweptInterval, s.ShortPoll.Interval) {
		all = append(all, c)
	}
	return all
}

// forwarding is a case with every kind of router that is measured. Whom clients dial needs
// no rule.
func (s *Scenario) forwarding(c Case) (all []Case) {
	c.sweptForward = len(s.Sweep.Forward) > 0 && c.Transport == Webhook
	for _, c.Forward = range either(s.Sweep.Forward, c.sweptForward, s.Network.Forward && c.Transport == Webhook) {
		all = append(all, c)
	}
	return all
}

// either is what is swept, or else the one value there is.
func either[T any](swept []T, is bool, own T) []T {
	if is {
		return swept
	}
	return []T{own}
}

// heartbeat is a transport's. Who asks again and again needs none, and who is dialled
// has nothing to keep open.
func (s *Scenario) heartbeat(t Transport) Duration {
	if !t.holds() {
		return 0
	}
	return s.Heartbeat
}

// HoldFor is how long a long poll is held: at most a heartbeat, for its answer is one.
func (s *Scenario) HoldFor() Duration {
	if s.Heartbeat > 0 {
		return min(s.LongPoll.Hold, s.Heartbeat)
	}
	return s.LongPoll.Hold
}

// Patience is how long a client waits to hear something before it takes a connection
// for dead; 0: for ever, as nothing tells a quiet stream from one that nobody hears any more.
func (s *Scenario) Patience(t Transport) Duration {
	switch {
	case t == LongPoll:
		return s.HoldFor() + maxAnswer
	case t == ShortPoll:
		return maxAnswer
	case t == Webhook:
		return 0
	default:
		return s.Heartbeat * 5 / 2
	}
}

// newConnection says whether a transport polls on a new connection each time.
func (s *Scenario) newConnection(t Transport) bool {
	return t == ShortPoll && s.ShortPoll.NewConnection || t == LongPoll && s.LongPoll.NewConnection
}

// Polls says whether the transport's clients ask again and again.
func (t Transport) Polls() bool { return t == ShortPoll || t == LongPoll }

// longestRTT is the largest round trip of any case.
func (s *Scenario) longestRTT() Duration {
	return slices.Max(either(s.Sweep.RTT, len(s.Sweep.RTT) > 0, s.Network.RTT))
}

// Secured says whether some case has TLS.
func (s *Scenario) Secured() bool {
	return slices.ContainsFunc(s.Cases(), func(c Case) bool { return c.TLS })
}

// longestInterval is the largest between two short polls of any case.
func (s *Scenario) longestInterval() Duration {
	return slices.Max(either(s.Sweep.Interval, len(s.Sweep.Interval) > 0, s.ShortPoll.Interval))
}

// stacks are the ones that every transport is measured on.
func (s *Scenario) stacks() []Stack {
	if len(s.Sweep.Stack) > 0 {
		return s.Sweep.Stack
	}
	return []Stack{s.Stack}
}

// flushes are the flush windows that a transport is measured with.
func (s *Scenario) flushes(t Transport) []Duration {
	if len(s.Sweep.Flush) > 0 && t.holds() {
		return s.Sweep.Flush
	}
	return []Duration{s.Flush(t)}
}

// holds says whether a server of the transport has connections that wait for messages: then
// it can hold some back to send several in one write, and has heartbeats.
func (t Transport) holds() bool { return t != ShortPoll && t != Webhook }

// Name is the case in reports: its transport, and the value of whatever is swept.
func (c Case) Name() string {
	name := string(c.Transport)
	if c.sweptStack {
		name += " stack=" + string(c.Stack)
	}
	if c.sweptFlush {
		name += " flush=" + c.Flush.String()
	}
	if c.Clients > 0 {
		name += " clients=" + strconv.Itoa(c.Clients)
	}
	if c.Rate > 0 {
		name += " rate=" + decimal(float64(c.Rate))
	}
	if c.Payload > 0 {
		name += " payload=" + strconv.Itoa(int(c.Payload))
	}
	if c.sweptInterval {
		name += " interval=" + c.Interval.String()
	}
	if c.sweptRTT {
		name += " rtt=" + c.RTT.String()
	}
	if c.sweptHeartbeat {
		name += " heartbeat=" + c.Heartbeat.String()
	}
	if c.sweptForward {
		name += " forward=" + yesNo[c.Forward]
	}
	if c.sweptConnection {
		name += " connection=" + map[bool]string{false: "kept", true: "new"}[c.NewConnection]
	}
	if c.sweptTLS {
		name += " tls=" + yesNo[c.TLS]
	}
	return name
}

var yesNo = map[bool]string{false: "no", true: "yes"}

// For is the scenario of one case alone: nothing is swept, what the case has is the
// scenario's own, and what it was to find, which is about all cases, is not there.
func (s *Scenario) For(c Case) *Scenario {
	alone := *s
	alone.Needs, alone.Claims, alone.Published, alone.Heartbeat = nil, nil, Published{}, c.Heartbeat
	alone.Sweep, alone.Stack, alone.Network.TLS, alone.Network.RTT, alone.Network.Forward = Sweep{}, c.Stack, c.TLS, c.RTT, c.Forward
	if c.Clients > 0 {
		alone.Clients.Count = c.Clients
	}
	if c.Rate > 0 {
		alone.Publish.Rate = c.Rate
	}
	if c.Payload > 0 {
		alone.Payload.Size = c.Payload
	}
	switch c.Transport {
	case ShortPoll:
		alone.ShortPoll.NewConnection, alone.ShortPoll.Interval = c.NewConnection, c.Interval
	case LongPoll:
		alone.LongPoll.Flush, alone.LongPoll.NewConnection = c.Flush, c.NewConnection
	case SSE:
		alone.SSE.Flush = c.Flush
	case WebSocket:
		alone.WebSocket.Flush = c.Flush
	}
	return &alone
}

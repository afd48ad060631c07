package scenarios

import "slices"

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

	NewConnection []bool `yaml:"new_connection,omitempty" json:"new_connection"` // polling only: kept alive and new for every poll, in place of the transports' own
}

// A Case is what one trial measures and what one row of a report stands for.
type Case struct {
	Transport Transport
	Stack     Stack
	Flush     Duration // 0: never hold messages back
	TLS       bool

	NewConnection bool // for every poll

	sweptStack, sweptFlush, sweptTLS, sweptConnection bool // they tell this case from others of its run
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
				all = append(all, s.connections(Case{
					Transport: t, Stack: stack, Flush: flush,
					sweptStack: len(s.Sweep.Stack) > 0, sweptFlush: len(s.Sweep.Flush) > 0 && t.holds(),
				})...)
			}
		}
	}
	return all
}

// connections are a case with every kind of connection that is measured.
func (s *Scenario) connections(c Case) (all []Case) {
	c.sweptTLS = len(s.Sweep.TLS) > 0
	c.sweptConnection = len(s.Sweep.NewConnection) > 0 && c.Transport.Polls()
	for _, c.NewConnection = range either(s.Sweep.NewConnection, c.sweptConnection, s.newConnection(c.Transport)) {
		for _, c.TLS = range either(s.Sweep.TLS, c.sweptTLS, s.Network.TLS) {
			all = append(all, c)
		}
	}
	return all
}

// either is what is swept, or else the one value there is.
func either(swept []bool, is bool, own bool) []bool {
	if is {
		return swept
	}
	return []bool{own}
}

// newConnection says whether a transport polls on a new connection each time.
func (s *Scenario) newConnection(t Transport) bool {
	return t == ShortPoll && s.ShortPoll.NewConnection || t == LongPoll && s.LongPoll.NewConnection
}

// Polls says whether the transport's clients ask again and again.
func (t Transport) Polls() bool { return t == ShortPoll || t == LongPoll }

// Secured says whether some case has TLS.
func (s *Scenario) Secured() bool {
	return slices.ContainsFunc(s.Cases(), func(c Case) bool { return c.TLS })
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

// holds says whether a server of the transport can hold messages back to send
// several in one write.
func (t Transport) holds() bool { return t != ShortPoll }

// Name is the case in reports: its transport, and the value of whatever is swept.
func (c Case) Name() string {
	name := string(c.Transport)
	if c.sweptStack {
		name += " stack=" + string(c.Stack)
	}
	if c.sweptFlush {
		name += " flush=" + c.Flush.String()
	}
	if c.sweptConnection {
		name += " connection=" + map[bool]string{false: "kept", true: "new"}[c.NewConnection]
	}
	if c.sweptTLS {
		name += " tls=" + map[bool]string{false: "no", true: "yes"}[c.TLS]
	}
	return name
}

// For is the scenario of one case alone: nothing is swept, what the case has is the
// scenario's own, and what it was to find, which is about all cases, is not there.
func (s *Scenario) For(c Case) *Scenario {
	alone := *s
	alone.Needs, alone.Claims = nil, nil
	alone.Sweep, alone.Stack, alone.Network.TLS = Sweep{}, c.Stack, c.TLS
	switch c.Transport {
	case ShortPoll:
		alone.ShortPoll.NewConnection = c.NewConnection
	case LongPoll:
		alone.LongPoll.Flush, alone.LongPoll.NewConnection = c.Flush, c.NewConnection
	case SSE:
		alone.SSE.Flush = c.Flush
	case WebSocket:
		alone.WebSocket.Flush = c.Flush
	}
	return &alone
}

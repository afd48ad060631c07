package scenarios

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
// transport with every stack and every flush window named. At least one list is
// given; one that is empty leaves its axis at the scenario's own value.
type Sweep struct {
	Stack []Stack    `yaml:"stack,omitempty" json:"stack"` // 1 to 3 stacks, in place of the field stack
	Flush []Duration `yaml:"flush,omitempty" json:"flush"` // 1 to 8 flush windows, each at most 1s, in place of the transports' own; a short poll has none
}

// A Case is what one trial measures and what one row of a report stands for.
type Case struct {
	Transport Transport
	Stack     Stack
	Flush     Duration // 0: never hold messages back

	sweptStack, sweptFlush bool // they tell this case from others of its run
}

// Cases lists what a block measures, in report order: the cases of a transport
// stand together, and in them those of a stack. A short poll is answered at once,
// so it has one case a stack, however many flush windows there are.
func (s *Scenario) Cases() []Case {
	var all []Case
	for _, t := range s.Transports {
		for _, stack := range s.stacks() {
			for _, flush := range s.flushes(t) {
				all = append(all, Case{
					Transport: t, Stack: stack, Flush: flush,
					sweptStack: len(s.Sweep.Stack) > 0, sweptFlush: len(s.Sweep.Flush) > 0 && t.holds(),
				})
			}
		}
	}
	return all
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
	return name
}

// For is the scenario of one case alone: nothing is swept, and the case's stack
// and flush window are the scenario's own.
func (s *Scenario) For(c Case) *Scenario {
	alone := *s
	alone.Sweep, alone.Stack = Sweep{}, c.Stack
	switch c.Transport {
	case LongPoll:
		alone.LongPoll.Flush = c.Flush
	case SSE:
		alone.SSE.Flush = c.Flush
	case WebSocket:
		alone.WebSocket.Flush = c.Flush
	}
	return &alone
}

package results

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
)

// A Case is what one trial measures and one row of a report stands for: a
// transport, on a stack, with a flush window, over a kind of connection.
type Configuration struct {
	Name          string        `json:"name"` // the transport, and the value of whatever the run sweeps: "websocket batching_delay=5ms"
	Transport     string        `json:"transport"`
	Library       string        `json:"stack"`
	BatchingDelay time.Duration `json:"flush_ns"`               // 0: never hold messages back
	RTT           time.Duration `json:"rtt_ns,omitempty"`       // where it is swept
	Interval      time.Duration `json:"interval_ns,omitempty"`  // of short polling, where it is swept
	Heartbeat     time.Duration `json:"heartbeat_ns,omitempty"` // 0: none
	TLS           bool          `json:"tls,omitempty"`

	NewConnection bool `json:"new_connection,omitempty"` // for every poll
	Forward       bool `json:"forward,omitempty"`        // the clients' router lets the server in

	Clients      int     `json:"clients,omitempty"`      // where they are swept, as are the next
	PublishRate  float64 `json:"publish_rate,omitempty"` // messages a second
	PayloadBytes float64 `json:"payload_bytes,omitempty"`
	DeliveryRate float64 `json:"delivery_rate,omitempty"` // (message, subscriber) pairs a second owed, where any of these three is swept
}

// AllCases lists the run's cases in report order. A folder from before there were
// cases has one for each transport, of the run's own stack and flush window.
func (m Manifest) AllConfigurations() []Configuration {
	if len(m.Configurations) > 0 {
		return m.Configurations
	}
	var cases []Configuration
	for _, t := range m.Transports {
		cases = append(cases, Configuration{Name: t, Transport: t, Library: m.Library, BatchingDelay: m.Workload.BatchingDelay[t]})
	}
	return cases
}

// Sweeps says whether some transport has more than one case.
func (m Manifest) Sweeps() bool { return len(m.AllConfigurations()) > len(m.Transports) }

// SweptFlush says whether cases of one transport differ in nothing but their flush window.
func (m Manifest) SweptBatchingDelay() bool {
	return m.sweptAlone(func(c *Configuration) { c.BatchingDelay = 0 })
}

// SweptRTT says whether cases of one transport differ in nothing but their round trip.
func (m Manifest) SweptRTT() bool { return m.sweptAlone(func(c *Configuration) { c.RTT = 0 }) }

// Deliveries are the fewest and the most that are owed a second in any case.
func (m Manifest) Deliveries() (fewest, most float64) {
	for i, c := range m.AllConfigurations() {
		rate := c.DeliveryRate
		if rate == 0 {
			rate = m.Workload.DeliveryRate
		}
		if i == 0 || rate < fewest {
			fewest = rate
		}
		most = max(most, rate)
	}
	return fewest, most
}

// sweptAlone says whether two cases of one transport differ until something is taken from both.
func (m Manifest) sweptAlone(take func(*Configuration)) bool {
	seen := map[Configuration]Configuration{}
	for _, c := range m.AllConfigurations() {
		c.Name, c.DeliveryRate = "", 0 // follow from the rest
		rest := c
		take(&rest)
		if other, ok := seen[rest]; ok && other != c {
			return true
		}
		seen[rest] = c
	}
	return false
}

// CaseName is the case of the trial. A trial from before there were cases has none
// written: it is its transport.
func (t Trial) ConfigurationName() string { return cmp.Or(t.Configuration, t.Transport) }

// CaseName is the case of the interval's trial.
func (i Interval) ConfigurationName() string { return cmp.Or(i.Configuration, i.Transport) }

// Variant is what tells the case from others of its transport: "batching_delay=5ms", empty
// where nothing is swept.
func (c Configuration) Variant() string {
	return strings.TrimPrefix(strings.TrimPrefix(c.Name, c.Transport), " ")
}

// Key is the name as benchmark keys and as a log's tag, which hold no spaces:
// "websocket/batching_delay=5ms".
func (c Configuration) Key() string { return caseKey(c.Name) }

func caseKey(name string) string { return strings.ReplaceAll(name, " ", "/") }

// FileName is the name as part of a file's: "websocket-batching_delay-5ms".
func (c Configuration) FileName() string {
	return strings.NewReplacer(" ", "-", "=", "-").Replace(c.Name)
}

// variantName is what a case may be called beside its transport: it becomes part
// of file names, a tag of the interval log and keys of a benchmark.
var variantName = regexp.MustCompile(`^( [a-z][a-z0-9_]{0,15}=[a-z0-9][a-z0-9.µ_-]{0,31}){0,11}$`)

func (m Manifest) checkConfigurations() error {
	for i, c := range m.Configurations {
		variant, ok := strings.CutPrefix(c.Name, c.Transport)
		switch {
		case !slices.Contains(m.Transports, c.Transport):
			return fmt.Errorf("case %q is of transport %q, which is not listed", c.Name, c.Transport)
		case !ok || !variantName.MatchString(variant):
			return fmt.Errorf("%q cannot be the name of a case: want its transport, and %s", c.Name, variantName)
		case slices.ContainsFunc(m.Configurations[:i], func(o Configuration) bool { return o.Name == c.Name }):
			return fmt.Errorf("case %s is listed twice", c.Name)
		}
		if err := nonNegative(c); err != nil {
			return fmt.Errorf("case %s: %w", c.Name, err)
		}
	}
	return nil
}

// knows says why the manifest knows nothing of such a trial or interval; it is
// empty where it does.
func (m Manifest) knows(transport, name string) string {
	if !slices.Contains(m.Transports, transport) {
		return fmt.Sprintf("transport %q is not in the manifest", transport)
	}
	if !slices.ContainsFunc(m.AllConfigurations(), func(c Configuration) bool { return c.Name == name && c.Transport == transport }) {
		return fmt.Sprintf("case %q of transport %q is not in the manifest", name, transport)
	}
	return ""
}

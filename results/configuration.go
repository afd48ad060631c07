package results

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"pushbench/scenarios/transports"
)

// A Configuration is what a trial measures and what a row of a report describes: a transport on
// a server library, with a batching delay, and a value on each swept axis.
type Configuration struct {
	Name          string        `json:"name"` // the transport, and a value of each swept axis: "websocket batching_delay=5ms"
	Transport     string        `json:"transport"`
	Target        string        `json:"target,omitempty"`       // server under test, if several are compared
	Library       string        `json:"library"`                // server library
	BatchingDelay time.Duration `json:"batching_delay_ns"`      // batching delay; 0: none
	RTT           time.Duration `json:"rtt_ns,omitempty"`       // round-trip time, if swept
	Interval      time.Duration `json:"interval_ns,omitempty"`  // poll interval of short polling, if swept
	Heartbeat     time.Duration `json:"heartbeat_ns,omitempty"` // 0: none
	TLS           bool          `json:"tls,omitempty"`

	NewConnection bool `json:"new_connection,omitempty"` // a new connection for every poll
	Forward       bool `json:"forward,omitempty"`        // the clients' router forwards a port to each client

	Clients      int     `json:"clients,omitempty"`      // if swept, as the next two
	PublishRate  float64 `json:"publish_rate,omitempty"` // messages per second
	PayloadBytes float64 `json:"payload_bytes,omitempty"`
	DeliveryRate float64 `json:"delivery_rate,omitempty"` // expected (message, subscriber) pairs per second, if any of these three is swept
}

// AllConfigurations lists the configurations of the run in report order. The oldest folders list
// none: they have one per transport, with the library and batching delay of the run.
func (m Manifest) AllConfigurations() []Configuration {
	if len(m.Configurations) > 0 {
		return m.Configurations
	}
	var all []Configuration
	for _, t := range m.Transports {
		all = append(all, Configuration{Name: t, Transport: t, Library: m.Library, BatchingDelay: m.Workload.BatchingDelay[t]})
	}
	return all
}

// Sweeps reports whether some transport has more than one configuration.
func (m Manifest) Sweeps() bool { return len(m.AllConfigurations()) > len(m.Transports) }

// SweptBatchingDelay reports whether configurations of one transport differ only in their batching delay.
func (m Manifest) SweptBatchingDelay() bool {
	return m.sweptAlone(func(c *Configuration) { c.BatchingDelay = 0 })
}

// SweptRTT reports whether configurations of one transport differ only in their round-trip time.
func (m Manifest) SweptRTT() bool { return m.sweptAlone(func(c *Configuration) { c.RTT = 0 }) }

// Deliveries returns the smallest and the largest expected delivery rate of any configuration, per second.
func (m Manifest) Deliveries() (low, high float64) {
	for i, c := range m.AllConfigurations() {
		rate := c.DeliveryRate
		if rate == 0 {
			rate = m.Workload.DeliveryRate
		}
		if i == 0 || rate < low {
			low = rate
		}
		high = max(high, rate)
	}
	return low, high
}

// sweptAlone reports whether two configurations of one transport differ only in what reset clears.
func (m Manifest) sweptAlone(reset func(*Configuration)) bool {
	seen := map[Configuration]Configuration{}
	for _, c := range m.AllConfigurations() {
		c.Name, c.DeliveryRate = "", 0 // follow from the rest
		rest := c
		reset(&rest)
		if other, ok := seen[rest]; ok && other != c {
			return true
		}
		seen[rest] = c
	}
	return false
}

// ConfigurationName returns the name of the trial's configuration. In the oldest folders it is
// absent: the name is that of the transport.
func (t Trial) ConfigurationName() string { return cmp.Or(t.Configuration, t.Transport) }

// ConfigurationName returns the name of the configuration of the interval's trial.
func (i Interval) ConfigurationName() string { return cmp.Or(i.Configuration, i.Transport) }

// Variant returns the part of the name that distinguishes the configuration from others of its
// transport: "batching_delay=5ms", empty if nothing is swept.
func (c Configuration) Variant() string {
	return strings.TrimPrefix(strings.TrimPrefix(c.Name, c.Transport), " ")
}

// Peer returns what configurations of several targets have in common: the name without the target.
func (c Configuration) Peer() string { return strings.Replace(c.Name, " target="+c.Target, "", 1) }

// Label returns the name for people: see the function Label.
func (c Configuration) Label() string { return Label(c.Name) }

// Label returns a configuration's name for people: "nchan over WebSocket" if servers are compared, otherwise the name
// itself.
func Label(name string) string {
	transport, rest, compared := strings.Cut(name, " target=")
	if !compared {
		return name
	}
	if t, ok := transports.Find(transport); ok {
		transport = t.Title
	}
	target, settings, _ := strings.Cut(rest, " ")
	return strings.TrimSpace(fmt.Sprintf("%s over %s %s", target, transport, settings))
}

// Key returns the name in the form of benchmark keys and of tags in the interval log, which have
// no spaces: "websocket/batching_delay=5ms".
func (c Configuration) Key() string { return keyOf(c.Name) }

func keyOf(name string) string { return strings.ReplaceAll(name, " ", "/") }

// FileName returns the name as a part of a file name: "websocket-batching_delay-5ms".
func (c Configuration) FileName() string {
	return strings.NewReplacer(" ", "-", "=", "-").Replace(c.Name)
}

// variantName matches a valid variant. It becomes a part of file names, of tags in the interval
// log and of benchmark keys.
var variantName = regexp.MustCompile(`^( [a-z][a-z0-9_]{0,15}=[a-z0-9][a-z0-9.µ_-]{0,63}){0,11}$`)

func (m Manifest) checkConfigurations() error {
	for i, c := range m.Configurations {
		variant, ok := strings.CutPrefix(c.Name, c.Transport)
		switch {
		case !slices.Contains(m.Transports, c.Transport):
			return fmt.Errorf("configuration %q has transport %q, which is not listed", c.Name, c.Transport)
		case !ok || !variantName.MatchString(variant):
			return fmt.Errorf("invalid configuration name %q: want its transport, followed by %s", c.Name, variantName)
		case slices.ContainsFunc(m.Configurations[:i], func(o Configuration) bool { return o.Name == c.Name }):
			return fmt.Errorf("configuration %s is listed twice", c.Name)
		}
		if err := Possible(c); err != nil {
			return fmt.Errorf("configuration %s: %w", c.Name, err)
		}
	}
	return nil
}

// unknown returns why a trial or interval does not belong to the run, and "" if it does.
func (m Manifest) unknown(transport, name string) string {
	if !slices.Contains(m.Transports, transport) {
		return fmt.Sprintf("transport %q is not in the manifest", transport)
	}
	if !slices.ContainsFunc(m.AllConfigurations(), func(c Configuration) bool { return c.Name == name && c.Transport == transport }) {
		return fmt.Sprintf("configuration %q of transport %q is not in the manifest", name, transport)
	}
	return ""
}

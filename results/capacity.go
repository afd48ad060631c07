package results

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"
)

// A Capacity is the highest load at which each transport meets a limit.
type Capacity struct {
	Path     string    `json:"-"` // of its folder
	Schema   int       `json:"schema"`
	Started  time.Time `json:"started"`
	Command  []string  `json:"command"`
	Scenario string    `json:"scenario"`
	SHA256   string    `json:"sha256"` // of the scenario before its load was varied
	Limit    []string  `json:"limit"`  // the assertions that must pass
	Axis     string    `json:"axis"`   // unit of the load: "rate" or "clients"
	Within   float64   `json:"within"` // relative distance between the highest load that met the limit and the lowest that did not
	Tool     Tool      `json:"tool"`
	Host     Host      `json:"host"`
	Found    []Highest `json:"found"` // in the order of the scenario's configurations
}

// A Highest is the result for one transport, of one server if several are compared.
type Highest struct {
	Transport    string  `json:"transport"`
	Target       string  `json:"target,omitempty"`        // server under test; empty: pushbench's own
	Load         float64 `json:"load"`                    // the highest that met the limit; 0: none did
	Beyond       float64 `json:"beyond"`                  // the lowest that did not; 0: none
	Why          string  `json:"why,omitempty"`           // why it did not
	SetupLimited bool    `json:"setup_limited,omitempty"` // the test setup or this machine was the limit: load is a lower bound
	Confirmed    int     `json:"confirmed"`               // number of further times that load met the limit
	Probes       []Probe `json:"probes"`                  // in order of execution

	// Unfinished is why the search ended early; empty: it did not. Load is then the highest that
	// met the limit so far, perhaps only once.
	Unfinished string `json:"unfinished,omitempty"`
}

// A Probe is a separate run at one load.
type Probe struct {
	Load       float64 `json:"load"`
	Held       bool    `json:"passed"`
	Open       bool    `json:"undecided,omitempty"`
	Why        string  `json:"why,omitempty"`
	Deliveries float64 `json:"deliveries_per_second"` // expected
	P50        float64 `json:"p50_ms"`                // 0: unknown
	P99        float64 `json:"p99_ms"`                // 0: unknown
	Max        float64 `json:"max_ms,omitempty"`      // the largest latency, if P99 is unknown; 0: unknown too
	CPU        float64 `json:"cpu_us_per_message"`    // server and generator; 0: unknown
	Folder     string  `json:"folder"`                // of its run, below that of the capacity; empty: it could not start
}

// Configuration is what was searched.
func (h Highest) Configuration() Configuration {
	c := Configuration{Name: h.Transport, Transport: h.Transport, Target: h.Target}
	if h.Target != "" {
		c.Name += " target=" + h.Target
	}
	return c
}

// Unmeasured reports whether the test setup or the machine was the limit at every load, so that nothing is known.
func (h Highest) Unmeasured() bool { return h.Load == 0 && h.SetupLimited && h.Unfinished == "" }

const capacityFile = "capacity.json"

// At returns the last probe at a load that met the limit.
func (h Highest) At(load float64) (p Probe, ok bool) {
	for _, one := range h.Probes {
		if one.Load == load && one.Held {
			p, ok = one, true
		}
	}
	return p, ok
}

// Unfinished reports whether any search ended early.
func (c Capacity) Unfinished() bool {
	return slices.ContainsFunc(c.Found, func(h Highest) bool { return h.Unfinished != "" })
}

// Confirmed returns the smallest number of times that a highest load was confirmed, over the
// searches that did not end early; 0: there is none.
func (c Capacity) Confirmed() (least int) {
	found := false
	for _, h := range c.Found {
		if h.Load > 0 && h.Unfinished == "" && (!found || h.Confirmed < least) {
			least, found = h.Confirmed, true
		}
	}
	return least
}

// Write writes the capacity into its folder. It creates the folder if no probe could start.
func (c Capacity) Write() error {
	dir, err := OpenDir(c.Path)
	if err != nil {
		return err
	}
	defer dir.Close()
	data, err := json.MarshalIndent(c, "", "  ")
	if err != nil {
		return fmt.Errorf("write %s: %w", capacityFile, err)
	}
	return dir.Write(capacityFile, append(data, '\n'))
}

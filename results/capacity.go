package results

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// A Capacity says how high a load each transport carries while it keeps to a limit.
type Capacity struct {
	Path     string    `json:"-"` // of its folder
	Schema   int       `json:"schema"`
	Started  time.Time `json:"started"`
	Command  []string  `json:"command"`
	Scenario string    `json:"scenario"`
	SHA256   string    `json:"sha256"` // of the scenario as it was before its load was varied
	Limit    []string  `json:"limit"`  // the claims that must hold
	Axis     string    `json:"axis"`   // what the load is of: "rate" or "clients"
	Within   float64   `json:"within"` // how near the first load that did not keep to the limit came, as a share
	Tool     Tool      `json:"tool"`
	Host     Host      `json:"host"`
	Found    []Highest `json:"found"` // in the order of the scenario's transports
}

// A Highest is what was found of one transport.
type Highest struct {
	Transport    string  `json:"transport"`
	Load         float64 `json:"load"`          // the highest that kept to the limit; 0: none that was tried did
	Beyond       float64 `json:"beyond"`        // the lowest that did not; 0: none
	Why          string  `json:"why,omitempty"` // why that did not
	SetupLimited bool    `json:"rig,omitempty"` // it was the rig or this machine that ended there: Load is a lower bound
	Confirmed    int     `json:"confirmed"`     // times that Load kept to the limit again
	Probes       []Probe `json:"probes"`        // in the order they were made

	// Unfinished is why the search ended early; empty: it did not. Load is then the highest that
	// kept to the limit so far, perhaps only once.
	Unfinished string `json:"unfinished,omitempty"`
}

// A Probe is one load that was tried: a run of its own.
type Probe struct {
	Load       float64 `json:"load"`
	Held       bool    `json:"held"`
	Open       bool    `json:"open,omitempty"` // whether it held could not be decided
	Why        string  `json:"why,omitempty"`
	Deliveries float64 `json:"deliveries_per_second"` // owed
	P50        float64 `json:"p50_ms"`                // 0: not known
	P99        float64 `json:"p99_ms"`                // 0: not known
	CPU        float64 `json:"cpu_us_per_message"`    // server and generator; 0: not known
	Folder     string  `json:"folder"`                // of its run, below that of the capacity; empty: it could not begin
}

const capacityFile = "capacity.json"

// At is the last probe of a load that kept to the limit.
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

// Confirmed is how often the highest loads kept to the limit again, at the least, where the
// search did not end early; 0: there is none.
func (c Capacity) Confirmed() (least int) {
	found := false
	for _, h := range c.Found {
		if h.Load > 0 && h.Unfinished == "" && (!found || h.Confirmed < least) {
			least, found = h.Confirmed, true
		}
	}
	return least
}

// Write writes the capacity into its folder, which it makes where no load could begin.
func (c Capacity) Write() error {
	if err := os.MkdirAll(c.Path, 0o755); err != nil {
		return explain(c.Path, err)
	}
	data, err := json.MarshalIndent(c, "", "  ")
	if err != nil {
		return fmt.Errorf("write %s: %w", capacityFile, err)
	}
	return WriteFile(filepath.Join(c.Path, capacityFile), append(data, '\n'))
}

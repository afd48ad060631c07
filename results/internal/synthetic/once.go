package synthetic

import (
	"encoding/json"
	"maps"
	"slices"
	"sync"

	"pushbench/results"
)

var (
	mu   sync.Mutex // guards made
	made = map[string]*results.Run{}
)

// once makes each run a single time: its thousands of histograms are most of what the tests
// of reports cost. What it returns is the caller's to change, but for the values in histograms,
// which are shared: replace one, never record into it.
func once(key string, build func() *results.Run) *results.Run {
	mu.Lock()
	defer mu.Unlock()
	if made[key] == nil {
		made[key] = build()
	}
	kept := made[key]
	r := *kept
	r.Manifest = results.Manifest{}
	text, err := json.Marshal(kept.Manifest) // which has no histogram, and maps and slices at any depth
	if err == nil {
		err = json.Unmarshal(text, &r.Manifest)
	}
	if err != nil {
		panic("copy a synthetic manifest: " + err.Error())
	}
	r.Trials, r.Intervals = slices.Clone(kept.Trials), slices.Clone(kept.Intervals)
	for i := range r.Trials {
		t := &r.Trials[i]
		t.Checks, t.Predicted = slices.Clone(t.Checks), slices.Clone(t.Predicted)
		t.Connect.Stages = maps.Clone(t.Connect.Stages)
	}
	return &r
}

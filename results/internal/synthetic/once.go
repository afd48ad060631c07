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

// once generates each run a single time, because its thousands of histograms dominate the time of the
// report tests. A caller may change the returned run, but the values in histograms are shared: replace a
// histogram, never record into it.
func once(key string, build func() *results.Run) *results.Run {
	mu.Lock()
	defer mu.Unlock()
	if made[key] == nil {
		made[key] = build()
	}
	cached := made[key]
	r := *cached
	r.Manifest = results.Manifest{}
	text, err := json.Marshal(cached.Manifest) // a manifest has no histogram, and maps and slices at any depth
	if err == nil {
		err = json.Unmarshal(text, &r.Manifest)
	}
	if err != nil {
		panic("copy a synthetic manifest: " + err.Error())
	}
	r.Trials, r.Intervals = slices.Clone(cached.Trials), slices.Clone(cached.Intervals)
	for i := range r.Trials {
		t := &r.Trials[i]
		t.Checks, t.Predicted = slices.Clone(t.Checks), slices.Clone(t.Predicted)
		t.Connect.Stages = maps.Clone(t.Connect.Stages)
	}
	return &r
}

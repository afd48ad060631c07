package results

import "pushbench/results/metric"

// useCurrentNames gives the configurations of a folder from before axes were renamed their
// current names, so that it pairs up with a run of today. The folder itself stays as it is.
func (r *Run) useCurrentNames() {
	m := &r.Manifest
	for i := range m.Configurations {
		rename(&m.Configurations[i].Name)
	}
	for _, order := range m.Orders {
		for i := range order {
			rename(&order[i])
		}
	}
	m.Servers, m.Workload.BatchingDelay = renameKeys(m.Servers), renameKeys(m.Workload.BatchingDelay)
	for _, all := range [][]metric.Assertion{m.Requirements, m.Assertions} {
		for i := range all {
			rename(&all[i].Text)
			rename(&all[i].Configuration)
			rename(&all[i].OtherConfiguration)
		}
	}
	for i := range m.Published.Values {
		rename(&m.Published.Values[i].Configuration)
		rename(&m.Published.Values[i].OverConfiguration)
	}
	for i := range r.Trials {
		rename(&r.Trials[i].Configuration)
	}
	for i := range r.Intervals {
		rename(&r.Intervals[i].Configuration)
	}
}

func rename(name *string) { *name = metric.CurrentNames(*name) }

func renameKeys[T any](of map[string]T) map[string]T {
	if of == nil {
		return nil
	}
	renamed := make(map[string]T, len(of))
	for name, value := range of {
		renamed[metric.CurrentNames(name)] = value
	}
	return renamed
}

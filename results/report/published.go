package report

import (
	"pushbench/results"
	"pushbench/results/summary"
)

// publishedSection puts what others have found beside what arithmetic says and what this
// run found.
func publishedSection(run *results.Run, s summary.Summary) section {
	p := run.Manifest.Published
	all := section{Title: "Published, predicted, measured", Note: results.Plain(p.Source), Head: []string{"", "published", "predicted", "measured"}}
	if p.Missing != "" {
		all.Note += " Not available, or not said here: " + results.Plain(p.Missing)
	}
	for _, f := range p.Figures {
		predicted := results.Plain(f.Predicted)
		if predicted == "" {
			predicted = withUnit(s.Predicted(f), f.Unit)
		}
		all.Rows = append(all.Rows, line{Cells: []string{results.Plain(f.What), results.Plain(f.Says), predicted, withUnit(s.Measured(f), f.Unit)}})
	}
	return all
}

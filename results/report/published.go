package report

import "pushbench/results"

// publishedSection puts what others have found beside what arithmetic says and what this
// run found.
func publishedSection(run *results.Run, s results.Summary) section {
	p := run.Manifest.Published
	all := section{Title: "Published, predicted, measured", Note: results.Plain(p.Source), Head: []string{"", "published", "predicted", "measured"}}
	if p.Missing != "" {
		all.Note += " Not available, or not said here: " + results.Plain(p.Missing)
	}
	for _, f := range p.Figures {
		predicted := results.Plain(f.Predicted)
		if predicted == "" {
			predicted = withUnit(f.Foreseen(s), f.Unit)
		}
		all.Rows = append(all.Rows, line{Cells: []string{results.Plain(f.What), results.Plain(f.Says), predicted, withUnit(f.Measured(s), f.Unit)}})
	}
	return all
}

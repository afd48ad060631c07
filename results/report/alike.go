package report

import (
	"fmt"

	"pushbench/results"
	"pushbench/results/compare"
	"pushbench/results/metric"
)

// alikeSection is each case against itself: the noise that any difference must exceed.
func (r *Report) alikeSection() section {
	all := section{
		Title: "Each case against itself: the noise floor",
		Note: "Every second block against the one before it (A/A): nothing differs but the noise, so a difference between two cases that is no larger says nothing. " +
			fmt.Sprintf("Each comparison stands by itself, without adjustment: one in twenty has a p below 0.05 by chance. It takes %d blocks, %d pairs, to conclude anything.", 2*compare.MinBlocks, compare.MinBlocks),
		Head: []string{"metric", "case", "pairs", "ratio", "95 %", "p", "would be called"},
	}
	if r.Run.Manifest.Status == results.Invalid {
		return all
	}
	for _, d := range r.Alike {
		if d.Verdict == compare.Incomparable || d.Blocks == 0 {
			continue
		}
		cells := []string{metric.ByName(d.Metric).Title, results.Plain(d.Names[0]), metric.Count(int64(d.Blocks)), ratioSaid(d.Ratio), "–", "–", string(d.Verdict)}
		if d.Verdict != compare.TooFew {
			cells[4], cells[5] = interval(d.Lo, d.Hi), figure(d.P)
		}
		all.Rows = append(all.Rows, line{Cells: cells})
	}
	return all
}

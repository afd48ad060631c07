// Package report says what a run found: in a terminal, in sentences, as
// Markdown, as an HTML page, and in the formats of other tools.
//
// It owns the words and the layout. It must never compute a figure that
// summary.Summary does not have nor a comparison that results/compare has not made,
// nor rank transports inside the noise: what two
// reports say about one run is the same.
package report

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"pushbench/results"
	"pushbench/results/chart"
	"pushbench/results/compare"
	"pushbench/results/summary"
)

// A Report is a run, summarized and judged once for every output,
// so that no two outputs can say different things.
type Report struct {
	Run          *results.Run
	Summary      summary.Summary
	Judgement    compare.Analysis
	Alike        []compare.Difference      // each configuration against itself
	Requirements []compare.AssertionResult // of each configuration
	Assertions   []compare.AssertionResult // of each configuration; none where the test setup failed
}

// New summarizes a run and judges it.
func New(run *results.Run) *Report {
	s := summary.Of(run)
	r := &Report{Run: run, Summary: s, Judgement: compare.Analyze(run, s), Alike: compare.Alike(run, s), Requirements: compare.Assertions(run.Manifest.Requirements, s)}
	if run.Manifest.Status != results.Invalid {
		r.Assertions = compare.Assertions(run.Manifest.Assertions, s)
	}
	return r
}

// Worth is what a run's figures are, in a word: VERDICT, ESTIMATE, or its status where
// that is less.
func (r *Report) Badge() string {
	if r.Run.Manifest.Status != results.Complete {
		return string(r.Run.Manifest.Status)
	}
	return label(r.Judgement)
}

// label is whether a judgement judges.
func label(j compare.Analysis) string {
	if j.Withheld != "" {
		return estimateLabel
	}
	return verdictLabel
}

// Write derives every file of a run folder that is made from what was measured: an .hgrm file
// per configuration, the figures in charts/, and the others by their names here. A file that fails
// does not keep the others from being written; the errors are joined.
func (r *Report) Write(dir string, figures ...chart.Chart) error {
	files := []file{
		{"summary.csv", r.CSV},
		{"comparisons.csv", r.Comparisons},
		{"summary.json", r.JSON},
		{"summary.md", r.Markdown},
		{"metrics.txt", r.OpenMetrics},
		{"bench.txt", r.Bench},
		{"report.html", func(w io.Writer) error { return r.HTML(w, figures) }},
	}
	for _, row := range r.Summary.Rows {
		if row.Pooled.Latency.Histogram.Count() > 0 {
			files = append(files, file{row.FileName() + ".hgrm", func(w io.Writer) error { return Percentiles(w, row) }})
		}
	}
	return write(dir, "charts", figures, files...)
}

// A file is written by its renderer.
type file struct {
	name   string
	render func(io.Writer) error
}

// write writes files into a folder, and the figures into a folder in it.
func write(dir, charts string, figures []chart.Chart, files ...file) error {
	var errs []error
	charts = filepath.Join(dir, charts)
	if len(figures) > 0 {
		if err := os.MkdirAll(charts, 0o755); err != nil {
			errs, figures = append(errs, fmt.Errorf("write charts: %w", err)), nil
		}
	}
	for _, f := range files {
		var b bytes.Buffer
		if err := f.render(&b); err != nil {
			errs = append(errs, fmt.Errorf("render %s: %w", f.name, err))
			continue
		}
		errs = append(errs, results.WriteFile(filepath.Join(dir, f.name), b.Bytes()))
	}
	for _, f := range figures {
		errs = append(errs,
			results.WriteFile(filepath.Join(charts, f.Name+".svg"), f.SVG),
			results.WriteFile(filepath.Join(charts, f.Name+".png"), f.PNG))
	}
	return errors.Join(errs...)
}

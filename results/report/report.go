// Package report presents the result of a run: in a terminal, in sentences, as Markdown, as an HTML page,
// and in the formats of other tools.
//
// It owns the words and the layout. It must never compute a value that summary.Summary does not have, nor a
// comparison that results/compare has not made, nor rank transports within the noise: two reports on one
// run always agree.
package report

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"path/filepath"
	"slices"

	"pushbench/results"
	"pushbench/results/chart"
	"pushbench/results/compare"
	"pushbench/results/summary"
)

// A Report is a run, summarized and analyzed once for all outputs, so that no two outputs can differ.
type Report struct {
	Run             *results.Run
	Summary         summary.Summary
	Analysis        compare.Analysis
	SelfComparisons []compare.Difference      // each configuration compared with itself
	Requirements    []compare.AssertionResult // of each configuration
	Assertions      []compare.AssertionResult // of each configuration; none if the test setup failed
}

// New summarizes and analyzes a run.
func New(run *results.Run) *Report {
	s := summary.Of(run)
	r := &Report{Run: run, Summary: s, Analysis: compare.Analyze(run, s), SelfComparisons: compare.SelfComparisons(run, s), Requirements: compare.Assertions(run.Manifest.Requirements, s)}
	if run.Manifest.Status != results.Invalid {
		r.Assertions = compare.Assertions(run.Manifest.Assertions, s)
	}
	return r
}

// Badge is the state of the run, the same in every output: VERDICT, ESTIMATE or INCONCLUSIVE as its answer is,
// or the status of a run that is not complete.
func (r *Report) Badge() string {
	if s := r.Run.Manifest.Status; s != results.Complete {
		return string(s)
	}
	switch h := r.headline(); {
	case inconclusiveAnswer(h.Text):
		return inconclusive
	case r.decidesChoice(h):
		return verdictLabel
	default:
		return estimateLabel
	}
}

// Document is the content of the report.
func (r *Report) Document() Document {
	m, sections := r.Run.Manifest, r.sections()
	return Document{
		Title: results.Plain(m.Workload.Scenario), Question: results.Plain(m.Workload.Question),
		Badge: r.Badge(), Basis: r.basisText(), Origin: r.origin(), Headline: r.answer(), Trust: r.trust(sections), Sections: sections, Caption: r.caption(),
	}
}

// basisText is the number of repetitions behind the answer; an invalid run has none.
func (r *Report) basisText() string {
	if r.Run.Manifest.Status == results.Invalid {
		return ""
	}
	return some(r.Summary.ValidRepetitions, "repetition")
}

// measured are the rows with a valid trial; the counts of the others would be zeros.
func (r *Report) measured() []summary.Row {
	return slices.DeleteFunc(slices.Clone(r.Summary.Rows), func(row summary.Row) bool { return len(row.Trials) == 0 })
}

// Write writes every derived file of a run folder: an .hgrm file per configuration, the charts in charts/,
// and the files named here. A file that fails does not prevent the others; the errors are joined.
func (r *Report) Write(dir string, charts ...chart.Chart) error {
	document := r.Document()
	files := []file{
		{"summary.csv", r.CSV},
		{"trials.csv", r.Trials},
		{"comparisons.csv", r.Comparisons},
		{"summary.json", r.JSON},
		{"summary.md", document.Markdown},
		{"metrics.txt", r.OpenMetrics},
		{"bench.txt", r.Bench},
		{"latency.hlog", r.IntervalLog},
		{"report.html", func(w io.Writer) error { return document.HTML(w, charts) }},
	}
	for _, row := range r.Summary.Rows {
		if row.Pooled.Latency.Histogram.Count() > 0 {
			files = append(files, file{row.FileName() + ".hgrm", func(w io.Writer) error { return Percentiles(w, row) }})
		}
	}
	return write(dir, "charts", charts, files...)
}

// A file has a name and the function that renders it.
type file struct {
	name   string
	render func(io.Writer) error
}

// write writes files into a folder, and charts into its subfolder. Its error names the first file that could
// not be written and counts the others.
func write(path, subfolder string, charts []chart.Chart, all ...file) error {
	dir, err := results.OpenDir(path)
	if err != nil {
		return err
	}
	defer dir.Close()
	if len(charts) > 0 {
		err = dir.MkdirAll(subfolder)
	}
	failed := 0
	if err != nil {
		failed = 2 * len(charts)
		charts = nil
	}
	for _, c := range charts {
		all = append(all,
			file{filepath.Join(subfolder, c.Name+".svg"), raw(c.SVG)},
			file{filepath.Join(subfolder, c.Name+".png"), raw(c.PNG)})
	}
	for _, f := range all {
		if next := f.write(dir); next != nil {
			failed++
			err = cmp.Or(err, next)
		}
	}
	if failed > 1 {
		err = fmt.Errorf("%w (and %s not written)", err, some(failed-1, "more file"))
	}
	return err
}

// raw renders bytes as they are.
func raw(data []byte) func(io.Writer) error {
	return func(w io.Writer) error {
		_, err := w.Write(data)
		return err
	}
}

// write renders the file into a folder.
func (f file) write(dir *results.Dir) error {
	var b bytes.Buffer
	if err := f.render(&b); err != nil {
		return fmt.Errorf("render %s: %w", f.name, err)
	}
	return dir.Write(f.name, b.Bytes())
}

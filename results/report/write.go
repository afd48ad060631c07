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
)

// Write derives every file of a run folder that is made from what was measured:
// summary.csv, comparisons.csv, summary.json, summary.md, metrics.txt, bench.txt, an .hgrm file a case, report.html and,
// in charts/, the figures. A file that fails does not keep the others from being
// written; the errors are joined.
func (r *Report) Write(dir string, figures ...chart.Figure) error {
	errs := []error{
		write(dir, "summary.csv", func(w io.Writer) error { return r.CSV(w) }),
		write(dir, "comparisons.csv", func(w io.Writer) error { return r.Comparisons(w) }),
		write(dir, "summary.json", func(w io.Writer) error { return r.JSON(w) }),
		write(dir, "summary.md", func(w io.Writer) error { return r.Markdown(w) }),
		write(dir, "metrics.txt", func(w io.Writer) error { return r.OpenMetrics(w) }),
		write(dir, "bench.txt", func(w io.Writer) error { return r.Bench(w) }),
		write(dir, "report.html", func(w io.Writer) error { return r.HTML(w, figures) }),
		writeFigures(filepath.Join(dir, "charts"), figures),
	}
	for _, row := range r.Summary.Rows {
		if row.Pooled.Latency.Histogram.Count() > 0 {
			errs = append(errs, write(dir, row.FileName()+".hgrm", func(w io.Writer) error { return Percentiles(w, row) }))
		}
	}
	return errors.Join(errs...)
}

// Write writes compare.md, compare.html, comparisons.csv and the figure into a folder.
func (c *Comparison) Write(dir string, figures ...chart.Figure) error {
	return errors.Join(
		write(dir, "compare.md", c.Markdown),
		write(dir, "compare.html", func(w io.Writer) error { return c.HTML(w, figures) }),
		write(dir, "comparisons.csv", c.CSV),
		writeFigures(dir, figures),
	)
}

// Write writes capacity.md, capacity.html, capacity.csv and the figure into a folder.
func (c Capacity) Write(dir string, figures ...chart.Figure) error {
	return errors.Join(
		write(dir, "capacity.md", c.Markdown),
		write(dir, "capacity.html", func(w io.Writer) error { return c.HTML(w, figures) }),
		write(dir, "capacity.csv", c.CSV),
		writeFigures(dir, figures),
	)
}

func write(dir, name string, render func(io.Writer) error) error {
	var b bytes.Buffer
	if err := render(&b); err != nil {
		return fmt.Errorf("render %s: %w", name, err)
	}
	return results.WriteFile(filepath.Join(dir, name), b.Bytes())
}

func writeFigures(dir string, figures []chart.Figure) error {
	if len(figures) == 0 {
		return nil
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("write charts: %w", err)
	}
	var errs []error
	for _, f := range figures {
		errs = append(errs,
			results.WriteFile(filepath.Join(dir, f.Name+".svg"), f.SVG),
			results.WriteFile(filepath.Join(dir, f.Name+".png"), f.PNG))
	}
	return errors.Join(errs...)
}

package cost

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"time"

	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"pushbench/bench/consent"
)

// Names of the metrics, as the clients of Prometheus export them.
const (
	cpuMetric    = "process_cpu_seconds_total"
	memoryMetric = "process_resident_memory_bytes"
)

// Limits of a page of metrics.
const (
	scrapeWithin = 2 * time.Second
	mostMetrics  = 8 << 20
	mostLine     = 64 << 10
	mostNeeded   = 256 << 10 // of the lines that are parsed
)

// A Page is a page of metrics in the text format of Prometheus, which reports the resources of a server.
type Page struct {
	URL     string `json:"url"`
	Address string `json:"address"` // that all requests go to

	last   time.Duration // CPU time that was read last
	within time.Duration // for a read; 0: scrapeWithin
}

// A Sample is what a page reports: the sums over all its series, such as one per worker.
type Sample struct {
	CPU    time.Duration // since the start of the server
	Memory int64         // resident size in bytes
}

// Read reads the page.
func (p *Page) Read() (s Sample, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), p.limit())
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, p.URL, nil)
	if err != nil {
		return s, err
	}
	request.Header.Set("Accept", "text/plain;version=0.0.4")
	client := consent.Client(p.Address, nil)
	defer client.CloseIdleConnections()
	response, err := client.Do(request)
	switch {
	case ctx.Err() != nil:
		return s, p.late()
	case err != nil:
		return s, fmt.Errorf("%s cannot be read: %w", p.URL, errors.Unwrap(err)) // without the method and the URL
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return s, fmt.Errorf("%s returned status %d; allowed: 200", p.URL, response.StatusCode)
	}
	switch s, err = parse(response.Body); {
	case ctx.Err() != nil:
		return s, p.late()
	case err != nil:
		return s, fmt.Errorf("%s %w", p.URL, err)
	}
	if s.CPU < p.last {
		return s, fmt.Errorf("%s reports a CPU time of %v after %v: the server was restarted", p.URL, s.CPU, p.last)
	}
	p.last = s.CPU
	return s, nil
}

func (p *Page) limit() time.Duration { return cmp.Or(p.within, scrapeWithin) }

// late is the error of a page that takes too long.
func (p *Page) late() error { return fmt.Errorf("%s did not arrive within %v", p.URL, p.limit()) }

// needed returns the lines of a page that name one of the metrics. The others may be those of many thousand metrics.
func needed(page io.Reader) (lines []byte, err error) {
	limited := &io.LimitedReader{R: page, N: mostMetrics + 1}
	r := bufio.NewReaderSize(limited, mostLine)
	for {
		line, err := r.ReadSlice('\n')
		if bytes.Contains(line, []byte(cpuMetric)) || bytes.Contains(line, []byte(memoryMetric)) {
			lines = append(lines, line...)
		}
		switch {
		case limited.N == 0:
			return nil, fmt.Errorf("has more than %d bytes", mostMetrics)
		case len(lines) > mostNeeded:
			return nil, fmt.Errorf("has more than %d bytes of %s and %s", mostNeeded, cpuMetric, memoryMetric)
		case errors.Is(err, bufio.ErrBufferFull):
			return nil, fmt.Errorf("has a line of more than %d bytes", mostLine)
		case errors.Is(err, io.EOF):
			return lines, nil
		case err != nil:
			return nil, fmt.Errorf("cannot be read: %w", err)
		}
	}
}

// parse reads a page in the text format, version 0.0.4.
func parse(page io.Reader) (s Sample, err error) {
	lines, err := needed(page)
	if err != nil {
		return s, err
	}
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(bytes.NewReader(lines))
	if invalid := (expfmt.ParseError{}); errors.As(err, &invalid) {
		return s, fmt.Errorf("is not in the text format of Prometheus: %s", invalid.Msg) // its line is one of those that are parsed
	}
	total := func(name string, most float64) (sum float64, err error) {
		for _, m := range families[name].GetMetric() {
			for _, value := range []float64{m.GetCounter().GetValue(), m.GetGauge().GetValue(), m.GetUntyped().GetValue()} { // one is set
				sum += value
			}
		}
		switch {
		case families[name] == nil:
			return 0, fmt.Errorf("has no metric %s", name)
		case !(sum > 0 && sum <= most): // nor NaN
			return 0, fmt.Errorf("has the value %v of %s; allowed: above 0 and at most %g", sum, name, most)
		}
		return sum, nil
	}
	const mostSeconds, mostBytes = math.MaxInt64 / 1e10, 1 << 60
	seconds, err := total(cpuMetric, mostSeconds)
	if err != nil {
		return s, err
	}
	memory, err := total(memoryMetric, mostBytes)
	return Sample{time.Duration(seconds * float64(time.Second)), int64(memory)}, err
}

package app

import (
	"cmp"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"

	"golang.org/x/term"

	"pushbench/bench"
	"pushbench/results"
	"pushbench/results/metric"
	"pushbench/results/report"
)

// A progress prints the state of a run: on a terminal one line that it rewrites, otherwise a line
// per trial. It receives about one update per second in the process that controls the run, so it
// costs the server and the load generator nothing.
type progress struct {
	w        io.Writer
	terminal bool

	mu    sync.Mutex // guards what follows
	trial string     // the last trial with a line, with its side
}

func newProgress(w io.Writer) *progress {
	return &progress{w: w, terminal: IsTerminal(w)}
}

// IsTerminal reports whether lines can be rewritten.
func IsTerminal(w io.Writer) bool {
	f, ok := Raw(w).(*os.File)
	return ok && term.IsTerminal(int(f.Fd())) && os.Getenv("TERM") != "dumb"
}

// Columns is the width of a terminal; 0 if w is none.
func Columns(w io.Writer) int {
	if f, ok := Raw(w).(*os.File); ok {
		if n, _, err := term.GetSize(int(f.Fd())); err == nil {
			return n
		}
	}
	return 0
}

// Fitted breaks the lines of a text between words, where a terminal would break them within words. Other outputs keep
// whole lines, which searches can match. columns is the width of the terminal; 0: none.
func Fitted(text string, columns int) string {
	if columns == 0 {
		return text
	}
	var lines []string
	for line := range strings.SplitSeq(text, "\n") {
		lines = append(lines, report.Wrapped(line, columns)...)
	}
	return strings.Join(lines, "\n")
}

func (p *progress) show(now bench.Progress) {
	p.mu.Lock()
	defer p.mu.Unlock()
	trial := fmt.Sprint(now.Trial, now.Side)
	switch {
	case p.terminal:
		line := fmt.Sprintf("[%d/%d] repetition %d of %d · %s · %s · %s delivered%s · %s, about %s left",
			now.Trial, now.Trials, now.Repetition, now.Repetitions, inProgress(now), now.Phase,
			metric.Count(now.Delivered), soFar(now), minutes(now.Elapsed), minutes(now.Left))
		p.clear()
		fmt.Fprint(p.w, p.fitting(line))
	case trial != p.trial:
		fmt.Fprintf(p.w, "[%d/%d] repetition %d of %d, %s; about %s left\n",
			now.Trial, now.Trials, now.Repetition, now.Repetitions, inProgress(now), minutes(now.Left))
		p.trial = trial
	}
}

// inProgress names the configuration of a trial, and the side.
func inProgress(now bench.Progress) string {
	return strings.TrimSpace(string(now.Side) + " " + results.Label(now.Configuration))
}

// soFar formats the latency so far. It is no result of the run: no validity check has passed yet.
func soFar(now bench.Progress) string {
	if now.P99 == 0 {
		return ""
	}
	ms := func(d time.Duration) string { return metric.Number(metric.Milliseconds(d)) }
	return fmt.Sprintf(", p50 %s p99 %s ms", ms(now.P50), ms(now.P99))
}

// fitting cuts a line that the terminal would wrap: a wrapped line cannot be rewritten.
func (p *progress) fitting(line string) string {
	width := cmp.Or(Columns(p.w), 80)
	if runes := []rune(line); len(runes) >= width {
		return string(runes[:width-1])
	}
	return line
}

// notice prints the lines of a text, unless it is empty.
func (p *progress) notice(text string) {
	if text == "" {
		return
	}
	for line := range strings.SplitSeq(text, "\n") {
		p.trouble(line)
	}
}

// trouble prints a line that is not rewritten.
func (p *progress) trouble(text string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.clear()
	fmt.Fprintln(p.w, Fitted(results.Plain(text), Columns(p.w)))
}

// end clears the line at the end of a run.
func (p *progress) end() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.clear()
}

// clear clears the line on a terminal.
func (p *progress) clear() {
	if p.terminal {
		fmt.Fprint(p.w, clearLine)
	}
}

// minutes formats minutes and seconds.
func minutes(d time.Duration) string {
	seconds := int(d.Round(time.Second) / time.Second)
	return fmt.Sprintf("%d:%02d", seconds/60, seconds%60)
}

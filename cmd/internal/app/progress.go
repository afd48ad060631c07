package app

import (
	"cmp"
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"golang.org/x/term"

	"pushbench/bench"
	"pushbench/results/metric"
)

// A progress shows what a run is doing: one line that is written over on a
// terminal, a line for each trial otherwise. It is told about once a second, in
// the process that waits, so it costs server and generator nothing.
type progress struct {
	w        io.Writer
	terminal bool

	mu    sync.Mutex // guards what follows
	trial int        // the last one that a line was written for
}

func newProgress(w io.Writer) *progress {
	return &progress{w: w, terminal: IsTerminal(w)}
}

// IsTerminal reports whether lines can be written over.
func IsTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd())) && os.Getenv("TERM") != "dumb"
}

// Columns is how wide a terminal is; 0 where w is none.
func Columns(w io.Writer) int {
	if f, ok := w.(*os.File); ok {
		if n, _, err := term.GetSize(int(f.Fd())); err == nil {
			return n
		}
	}
	return 0
}

func (p *progress) show(now bench.Progress) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.terminal:
		line := fmt.Sprintf("[%d/%d] block %d of %d · %s · %s · %s delivered%s · %s, about %s left",
			now.Trial, now.Trials, now.Repetition, now.Repetitions, now.Configuration, now.Phase,
			metric.Count(now.Delivered), soFar(now), minutes(now.Elapsed), minutes(now.Left))
		p.clear()
		fmt.Fprint(p.w, p.fitting(line))
	case now.Trial != p.trial:
		fmt.Fprintf(p.w, "[%d/%d] block %d of %d, %s; about %s left\n",
			now.Trial, now.Trials, now.Repetition, now.Repetitions, now.Configuration, minutes(now.Left))
		p.trial = now.Trial
	}
}

// soFar is how long messages took up to now. It is no figure of the run: there are no gates yet.
func soFar(now bench.Progress) string {
	if now.P99 == 0 {
		return ""
	}
	ms := func(d time.Duration) string { return metric.Number(metric.Milliseconds(d)) }
	return fmt.Sprintf(", p50 %s p99 %s ms", ms(now.P50), ms(now.P99))
}

// fitting cuts a line that the terminal would break: what is broken cannot be written over.
func (p *progress) fitting(line string) string {
	width := cmp.Or(Columns(p.w), 80)
	if runes := []rune(line); len(runes) >= width {
		return string(runes[:width-1])
	}
	return line
}

// trouble leaves a line that stays.
func (p *progress) trouble(what string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.clear()
	fmt.Fprintln(p.w, what)
}

// end leaves the terminal's line empty.
func (p *progress) end() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.clear()
}

// clear empties the line that is written over.
func (p *progress) clear() {
	if p.terminal {
		fmt.Fprint(p.w, "\r\x1b[K")
	}
}

// minutes prints minutes and seconds.
func minutes(d time.Duration) string {
	seconds := int(d.Round(time.Second) / time.Second)
	return fmt.Sprintf("%d:%02d", seconds/60, seconds%60)
}

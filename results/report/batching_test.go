package report

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"pushbench/results"
	"pushbench/results/internal/synthetic"
)

var flushes = []time.Duration{0, 5 * time.Millisecond, 20 * time.Millisecond}

func flushSweep(blocks int) *results.Run {
	return synthetic.Sweep(blocks, time.Second, []string{"reference"}, flushes)
}

// costs sets the server's CPU of one case, in µs a message.
func costs(run *results.Run, name string, each time.Duration) {
	for i := range run.Trials {
		if t := &run.Trials[i]; t.Configuration == name {
			t.Cost.Server.CPU = each * time.Duration(t.Cost.Delivered) * time.Duration(1000+t.Repetition) / 1000
		}
	}
}

func TestInversion(t *testing.T) {
	const polls, sockets = 20 * time.Microsecond, 40 * time.Microsecond
	for name, c := range map[string]struct {
		blocks        int
		none, largest time.Duration // WebSocket's server CPU
		want          string
	}{
		"gone":         {4, sockets, polls / 2, "inversion, long polling beats WebSocket: "},
		"stays":        {4, sockets, sockets, "and it stays"},
		"none":         {4, polls / 2, polls / 2, "no inversion here"},
		"too few runs": {2, sockets, polls / 2, "which cannot be told; an order takes 4 valid trials of each"},
	} {
		run := flushSweep(c.blocks)
		for _, flush := range []string{"0s", "20ms"} {
			costs(run, "longpoll batching_delay="+flush, polls)
		}
		costs(run, "websocket batching_delay=0s", c.none)
		costs(run, "websocket batching_delay=20ms", c.largest)
		said := sentence(t, run, "Server and generator CPU per message")
		if !strings.Contains(said, c.want) {
			t.Errorf("%s: got %q, want %q in it", name, said, c.want)
		}
		if gone := strings.Contains(said, "and it is gone: "); gone != (name == "gone") {
			t.Errorf("%s: got %q", name, said)
		}
	}
}

func TestMessagesAWriteAreAColumnWhereFlushIsSwept(t *testing.T) {
	var swept, plain bytes.Buffer
	if err := New(flushSweep(1)).Table(&swept, TableOptions{Width: readable}); err != nil {
		t.Fatal(err)
	}
	if err := New(synthetic.Run(1, time.Second)).Table(&plain, TableOptions{}); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(swept.String(), "/write") || strings.Contains(plain.String(), "/write") {
		t.Errorf("swept:\n%s\nplain:\n%s", swept.String(), plain.String())
	}
	for line := range strings.Lines(swept.String()) {
		if n := len([]rune(strings.TrimSuffix(line, "\n"))); n > readable {
			t.Errorf("%d columns: %s", n, line)
		}
	}
}

func TestASweepInFilesForOthers(t *testing.T) {
	var benchmark, table bytes.Buffer
	r := New(flushSweep(1))
	if err := r.Bench(&benchmark); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(benchmark.String(), "/transport=websocket/batching_delay=5ms 1 ") {
		t.Errorf("bench.txt:\n%s", benchmark.String())
	}
	if err := r.CSV(&table); err != nil {
		t.Fatal(err)
	}
	if lines := strings.Split(table.String(), "\n"); !strings.HasSuffix(lines[0], ",case,stack,flush_ms") || !strings.HasSuffix(lines[5], ",longpoll batching_delay=5ms,reference,5") {
		t.Errorf("summary.csv:\n%s\n…\n%s", lines[0], lines[5])
	}
	dir := t.TempDir()
	if err := r.Write(dir); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(dir, "websocket-batching_delay-5ms.hgrm")); err != nil {
		t.Error(err)
	}
}

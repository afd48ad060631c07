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

var batchingDelays = []time.Duration{0, 5 * time.Millisecond, 20 * time.Millisecond}

func batchingSweep(repetitions int) *results.Run {
	return synthetic.Sweep(repetitions, time.Second, []string{"reference"}, batchingDelays)
}

// setServerCPU sets the server's CPU of one configuration, per message.
func setServerCPU(run *results.Run, name string, perMessage time.Duration) {
	for i := range run.Trials {
		if t := &run.Trials[i]; t.Configuration == name {
			t.Cost.Server.CPU = perMessage * time.Duration(t.Cost.Delivered) * time.Duration(1000+t.Repetition) / 1000
		}
	}
}

func TestBatchingDelayMayUndoAdvantageOfLongPolling(t *testing.T) {
	const polls, sockets = 20 * time.Microsecond, 40 * time.Microsecond
	for name, c := range map[string]struct {
		repetitions       int
		smallest, largest time.Duration // WebSocket's server CPU with these batching delays
		want              string
	}{
		"undone":      {4, sockets, polls / 2, "long polling beats WebSocket; with the largest batching delay it does not."},
		"not undone":  {4, sockets, sockets, "long polling beats WebSocket; with the largest batching delay it still does."},
		"none":        {4, polls / 2, polls / 2, "long polling does not beat WebSocket."},
		"few repeats": {2, sockets, polls / 2, "long polling against WebSocket is inconclusive, because a ranking needs 4 valid trials of each configuration."},
	} {
		run := batchingSweep(c.repetitions)
		for _, delay := range []string{"0s", "20ms"} {
			setServerCPU(run, "longpoll batching_delay="+delay, polls)
		}
		setServerCPU(run, "websocket batching_delay=0s", c.smallest)
		setServerCPU(run, "websocket batching_delay=20ms", c.largest)
		if text := sentence(t, run, "Server and generator CPU "); !strings.Contains(text, c.want) {
			t.Errorf("%s: got %q, want %q in it", name, text, c.want)
		}
	}
}

func TestSweptBatchingDelayHasColumnOfMessagesPerWrite(t *testing.T) {
	var swept, plain bytes.Buffer
	if err := New(batchingSweep(1)).Document().Terminal(&swept, TableOptions{Width: readable, Wide: true}); err != nil {
		t.Fatal(err)
	}
	if err := New(synthetic.Run(1, time.Second)).Document().Terminal(&plain, TableOptions{Wide: true}); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(swept.String(), "/write") || strings.Contains(plain.String(), "/write") {
		t.Errorf("swept:\n%s\nplain:\n%s", swept.String(), plain.String())
	}
	for line := range strings.Lines(swept.String()) {
		if n := len([]rune(strings.TrimSuffix(line, "\n"))); n > readable {
			t.Errorf("%d columns, want at most %d: %s", n, readable, line)
		}
	}
}

func TestFilesNameSweptConfigurations(t *testing.T) {
	var benchmark, table bytes.Buffer
	r := New(batchingSweep(1))
	if err := r.Bench(&benchmark); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(benchmark.String(), "/transport=websocket/batching_delay=5ms 1 ") {
		t.Errorf("bench.txt:\n%s", benchmark.String())
	}
	if err := r.CSV(&table); err != nil {
		t.Fatal(err)
	}
	if lines := strings.Split(table.String(), "\n"); !strings.HasSuffix(lines[0], ",configuration,library,batching_delay_ms") || !strings.HasSuffix(lines[3], ",longpoll batching_delay=5ms,reference,5") {
		t.Errorf("summary.csv:\n%s\n…\n%s", lines[0], lines[3])
	}
	dir := t.TempDir()
	if err := r.Write(dir); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(dir, "websocket-batching_delay-5ms.hgrm")); err != nil {
		t.Error(err)
	}
}

package chart_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"pushbench/results"
	"pushbench/results/chart"
	"pushbench/results/internal/synthetic"
)

var swept = []time.Duration{0, time.Millisecond, 5 * time.Millisecond, 20 * time.Millisecond}

func TestSweepIsDrawn(t *testing.T) {
	for name, libraries := range map[string][]string{"batching delay": {"reference"}, "batching delay and library": {"nethttp", "fasthttp"}} {
		charts := drawn(t, synthetic.Sweep(1, time.Second, libraries, swept), chart.Vectors)
		for _, name := range []string{"latency", "batching", "timeline", "cost", "memory", "connect"} {
			f, ok := charts[name]
			if !ok {
				t.Errorf("no chart %s", name)
				continue
			}
			wellFormed(t, f)
		}
		if f := charts["batching"]; !strings.Contains(f.Alt, "batching_delay=20ms: p50 ") || !strings.Contains(string(f.SVG), "Messages per write") {
			t.Errorf("%s: the chart of batching has the text %q", name, f.Alt)
		}
	}
}

func TestBatchingIsDrawnOnlyIfTheDelayIsSwept(t *testing.T) {
	if _, ok := drawn(t, synthetic.Sweep(1, time.Second, []string{"nethttp", "fasthttp"}, swept[:1]), chart.Vectors)["batching"]; ok {
		t.Error("a run that sweeps only libraries has a chart of batching")
	}
	if _, ok := drawn(t, synthetic.Run(1, time.Second), chart.Vectors)["batching"]; ok {
		t.Error("a run without a sweep has a chart of batching")
	}
}

func TestDistanceIsDrawnIfTheRoundTripTimeIsSwept(t *testing.T) {
	run := synthetic.Sweep(1, time.Second, []string{"reference"}, swept[:2]) // its batching delays are changed to round-trip times
	far := strings.NewReplacer("batching_delay=0s", "rtt=0s", "batching_delay=1ms", "rtt=40ms")
	for i := range run.Manifest.Configurations {
		c := &run.Manifest.Configurations[i]
		c.Name = far.Replace(c.Name)
		c.BatchingDelay, c.RTT = 0, 40*c.BatchingDelay
	}
	for i := range run.Trials {
		run.Trials[i].Configuration, run.Trials[i].BatchingDelay = far.Replace(run.Trials[i].Configuration), 0
	}
	for i := range run.Intervals {
		run.Intervals[i].Configuration = far.Replace(run.Intervals[i].Configuration)
	}
	charts := drawn(t, run, chart.Vectors)
	f, ok := charts["distance"]
	if !ok || !strings.Contains(f.Alt, "websocket rtt=40ms: mean ") || !strings.Contains(string(f.SVG), "round-trip time, ms") {
		t.Errorf("the chart of distance has the text %q", f.Alt)
	}
	wellFormed(t, f)
	if _, ok := charts["batching"]; ok {
		t.Error("a run that sweeps only the round-trip time has a chart of batching")
	}
	if _, ok := drawn(t, synthetic.Run(1, time.Second), chart.Vectors)["distance"]; ok {
		t.Error("a run without a sweep has a chart of distance")
	}
}

// Configurations of a transport have different shades of its colour.
func TestEveryConfigurationOfAPushTransportHasItsOwnShade(t *testing.T) {
	for transport, shades := range chart.Shades(synthetic.Sweep(1, time.Second, []string{"reference"}, swept)) {
		want := 4
		if transport == "shortpoll" {
			want = 1
		}
		if len(shades) != want {
			t.Errorf("%s has %d shades, want %d", transport, len(shades), want)
		}
	}
}

// Servers over one transport have a colour and a marker each, which the legend names.
func TestEveryTargetOverOneTransportHasItsOwnColour(t *testing.T) {
	run := synthetic.Targets(2, 12*time.Second, "nchan", "centrifugo", "reference")
	if got := legend(t, run); !strings.Contains(got, "SSE WebSocket nchan centrifugo reference") {
		t.Errorf("several transports have the legend %q", got)
	}
	over := func(c string) bool { return !strings.HasPrefix(c, "websocket ") }
	run.Manifest.Transports = []string{"websocket"}
	run.Manifest.Configurations = slices.DeleteFunc(run.Manifest.Configurations, func(c results.Configuration) bool { return over(c.Name) })
	run.Trials = slices.DeleteFunc(run.Trials, func(t results.Trial) bool { return over(t.Configuration) })
	run.Intervals = slices.DeleteFunc(run.Intervals, func(i results.Interval) bool { return over(i.Configuration) })
	if got := legend(t, run); !strings.HasPrefix(got, "nchan over WebSocket centrifugo over WebSocket reference over WebSocket predicted") {
		t.Errorf("one transport has the legend %q", got)
	}
	looks := map[string]bool{}
	for _, k := range drawn(t, run, chart.Vectors)["latency"].Keys[:3] {
		looks[k.Color], looks[k.Marker] = true, true
	}
	if len(looks) != 6 {
		t.Errorf("three targets have %d colours and markers, want 6: %v", len(looks), looks)
	}
}

// legend is the text of the legend of the latency chart.
func legend(t *testing.T, run *results.Run) string {
	t.Helper()
	var names []string
	for _, k := range drawn(t, run, chart.Vectors)["latency"].Keys {
		names = append(names, k.Name)
	}
	return strings.Join(names, " ")
}

// The names below bars have a target before its transport, like the labels of tables.
func TestTargetsAreNamedBeforeTheirTransports(t *testing.T) {
	charts := drawn(t, synthetic.Targets(2, 12*time.Second, "nchan", "centrifugo", "reference"), chart.Vectors)
	bars := charts["memory"].Panels[0]
	if !slices.Contains(bars.X.Names, "nchan\nWebSocket") || bars.X.Title != "server, transport" {
		t.Errorf("the axis %q has the names %q", bars.X.Title, bars.X.Names)
	}
	many := drawn(t, synthetic.Targets(2, 12*time.Second, "nchan", "centrifugo", "socketio", "mosquitto", "rabbitmq", "durablestreams", "reference"), chart.Vectors)
	if !strings.Contains(string(many["memory"].SVG), ">nchan · WebSocket<") {
		t.Error("vertical names do not separate target and transport")
	}
	for name, c := range charts {
		if strings.Contains(c.Alt, "target=") || strings.Contains(string(c.SVG), ">websocket") {
			t.Errorf("chart %s names a configuration by its identifier", name)
		}
	}
}

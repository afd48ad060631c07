package chart_test

import (
	"bytes"
	"encoding/xml"
	"errors"
	"image/png"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"pushbench/results"
	"pushbench/results/chart"
	"pushbench/results/internal/synthetic"
	"pushbench/results/metric"
	"pushbench/results/summary"
)

// drawn returns the charts of a run without a verdict, by name.
func drawn(t *testing.T, run *results.Run, draw func(*results.Run, summary.Summary, string, ...string) ([]chart.Chart, error)) map[string]chart.Chart {
	t.Helper()
	badge := "ESTIMATE"
	if run.Manifest.Status != results.Complete {
		badge = string(run.Manifest.Status)
	}
	charts, err := draw(run, summary.Of(run), badge)
	if err != nil {
		t.Fatal(err)
	}
	byName := map[string]chart.Chart{}
	for _, f := range charts {
		byName[f.Name] = f
	}
	return byName
}

func TestEveryChartIsDrawnInBothFormats(t *testing.T) {
	charts := drawn(t, synthetic.Run(2, 2*time.Second), chart.Draw)
	for _, name := range []string{"latency", "age", "timeline", "cost", "writes", "memory", "connect"} {
		f, ok := charts[name]
		if !ok {
			t.Errorf("no chart %s", name)
			continue
		}
		wellFormed(t, f)
		picture, err := png.Decode(bytes.NewReader(f.PNG))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if size := picture.Bounds().Size(); size.X != 9*chart.DPI {
			t.Errorf("%s is %d pixels wide, want 9 inches at %d DPI", name, size.X, chart.DPI)
		}
		for _, words := range []string{"ESTIMATE", "2 of 2 repetitions valid", "validity checks 24 of 24 passed", "seed 42", "commit 170ec8e7d1"} {
			if !strings.Contains(string(f.SVG), words) {
				t.Errorf("%s does not contain %q", name, words)
			}
		}
		if f.Title == "" || len(f.Alt) < 40 {
			t.Errorf("%s: title %q, alternative text %q", name, f.Title, f.Alt)
		}
	}
}

// Ids would clash and links would leave the page if one page has several charts.
var outside = regexp.MustCompile(`\sid="|href=|url\(|<style|<script|<image`)

// wellFormed reads the complete document. It reports coordinates that are not numbers, and text whose
// length does not fit its font size.
func wellFormed(t *testing.T, f chart.Chart) {
	t.Helper()
	in := xml.NewDecoder(bytes.NewReader(f.SVG))
	var size, room float64
	for {
		token, err := in.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Errorf("%s.svg: %v", f.Name, err)
			return
		}
		switch token := token.(type) {
		case xml.StartElement:
			size, room = 0, 0
			filled := token.Name.Local == "svg" || token.Name.Local == "g"
			for _, a := range token.Attr {
				switch a.Name.Local {
				case "textLength":
					room, _ = strconv.ParseFloat(a.Value, 64)
				case "font-size":
					size, _ = strconv.ParseFloat(strings.TrimSuffix(a.Value, "px"), 64)
				case "style", "class":
					t.Errorf("%s.svg: <%s> depends on styles, which a policy can forbid: %s=%q", f.Name, token.Name.Local, a.Name.Local, a.Value)
				case "fill":
					filled = true
				}
			}
			if !filled { // the default is black
				t.Errorf("%s.svg: <%s> has no fill", f.Name, token.Name.Local)
			}
		case xml.CharData:
			// The narrowest letter of Arial is 0.19 times as wide as the font is large, the widest 1.02 times.
			if n := float64(utf8.RuneCount(token)); size > 0 && (room < 0.19*size*n || room > 1.1*size*n) {
				t.Errorf("%s.svg: %q of %v has a width of %v", f.Name, token, size, room)
			}
		case xml.EndElement:
			size = 0
		}
	}
	for _, no := range []string{"NaN", "Inf", "+Inf"} {
		if bytes.Contains(f.SVG, []byte(`"`+no)) || bytes.Contains(f.SVG, []byte(","+no)) {
			t.Errorf("%s.svg has a coordinate of %s", f.Name, no)
		}
	}
	if found := outside.Find(f.SVG); found != nil {
		t.Errorf("%s.svg has %q", f.Name, found)
	}
}

func TestDrawingIsDeterministic(t *testing.T) {
	a, b := drawn(t, synthetic.Run(1, time.Second), chart.Draw), drawn(t, synthetic.Run(1, time.Second), chart.Draw)
	for name := range a {
		if !bytes.Equal(a[name].SVG, b[name].SVG) || !bytes.Equal(a[name].PNG, b[name].PNG) {
			t.Errorf("%s differs from one drawing to the next", name)
		}
	}
}

func TestLineEndsWithTheObservations(t *testing.T) {
	few := drawn(t, synthetic.Run(1, time.Second), chart.Vectors)["latency"]
	if strings.Contains(string(few.SVG), ">99.99 %<") {
		t.Error("the axis reaches 99.99 % with too few observations")
	}
	if !strings.Contains(few.Alt, "shortpoll: p50 498 ms, p99 n/a ms") {
		t.Errorf("the alternative text is %q", few.Alt)
	}
}

func TestLostMessagesEndALine(t *testing.T) {
	run := synthetic.Run(1, 20*time.Second)
	for i := range run.Trials {
		l := &run.Trials[i].Latency
		l.Infinite = l.Histogram.Count() / 50
	}
	if f := drawn(t, run, chart.Vectors)["latency"]; !strings.Contains(string(f.SVG), "remainder lost") {
		t.Error("the legend does not mention the lost messages")
	}
}

func TestChartOfAnUnknownCommitNamesNone(t *testing.T) {
	run := synthetic.Run(1, time.Second)
	run.Manifest.Tool.Commit = ""
	for name, f := range drawn(t, run, chart.Vectors) {
		if strings.Contains(f.Basis, "commit") || !strings.Contains(f.Basis, "seed 42") {
			t.Errorf("%s: %s", name, f.Basis)
		}
	}
}

func TestInvalidRunIsMarked(t *testing.T) {
	run := synthetic.Run(1, time.Second)
	run.Manifest.Status = results.Invalid
	for name, f := range drawn(t, run, chart.Vectors) {
		if !strings.Contains(string(f.SVG), ">INVALID<") {
			t.Errorf("%s is not marked INVALID", name)
		}
	}
}

// Missing and zero values must not break a logarithm or a height.
func TestIncompleteRunsAreDrawn(t *testing.T) {
	for name, remove := range map[string]func(*results.Run){
		"no trials":     func(r *results.Run) { r.Trials = nil },
		"no intervals":  func(r *results.Run) { r.Intervals = nil },
		"no transports": func(r *results.Run) { r.Manifest.Transports = nil },
		"an empty run":  func(r *results.Run) { *r = results.Run{} },
		"no rate":       func(r *results.Run) { r.Manifest.Workload.DeliveryRate = 0 },
		"empty trials": func(r *results.Run) {
			for i, t := range r.Trials {
				r.Trials[i] = results.Trial{Repetition: t.Repetition, Transport: t.Transport, Status: results.Complete}
			}
		},
		"one transport is empty": func(r *results.Run) {
			r.Trials[0] = results.Trial{Repetition: 1, Transport: "shortpoll", Status: results.Complete}
		},
		"no time passed": func(r *results.Run) {
			for i := range r.Trials {
				var h results.Histogram
				for range 1000 {
					h.Record(0)
				}
				r.Trials[i].Latency = results.Latency{Histogram: h, Independent: 1000}
				r.Trials[i].Predicted = []results.Prediction{{Metric: metric.P50, Value: 0}}
			}
		},
		"memory shrank": func(r *results.Run) {
			for i := range r.Trials {
				r.Trials[i].Cost.Idle.Server.All = r.Trials[i].Cost.Idle.Server.First - 4096
			}
		},
		"delivered nothing, at some cost": func(r *results.Run) {
			for i := range r.Trials {
				r.Trials[i].Cost.Delivered = 0
			}
		},
		"another transport": func(r *results.Run) {
			r.Manifest.Transports[0] = "nchan"
			for i := range r.Trials {
				if r.Trials[i].Transport == "shortpoll" {
					r.Trials[i].Transport = "nchan"
				}
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			run := synthetic.Run(1, time.Second)
			remove(run)
			for _, f := range drawn(t, run, chart.Vectors) {
				wellFormed(t, f)
			}
		})
	}
}

func TestMaliciousStringsRemainText(t *testing.T) {
	run := synthetic.Run(1, time.Second)
	run.Manifest.Workload.Scenario = "</text></svg><script>alert(1)</script>\x00\x1b"
	run.Manifest.Tool.Commit = `"><img src=x>`
	for _, f := range drawn(t, run, chart.Vectors) {
		wellFormed(t, f)
	}
}

// The timeline marks disturbances at their times, in their order: the longest, including those of invalid trials.
func TestTimelineMarksDisturbances(t *testing.T) {
	run := synthetic.Run(2, 2*time.Second)
	for i := range run.Trials {
		run.Trials[i].Events = []results.Event{{At: time.Second, Took: time.Duration(5+i) * time.Millisecond, What: "core 0 stalled"}}
	}
	last := len(run.Trials) - 1
	run.Trials[last].Events = append(run.Trials[last].Events, results.Event{At: 1500 * time.Millisecond, Took: 31 * time.Millisecond, What: "core 1 stalled"})
	run.Trials[last].Checks[1].Passed = false
	var events []string
	timeline := drawn(t, run, chart.Vectors)["timeline"]
	if n := strings.Count(string(timeline.SVG), ">1–5<"); n != 2 {
		t.Errorf("%d labels of the five events at one time, want one in each of 2 panels", n)
	}
	for _, e := range timeline.Events {
		events = append(events, e.Text)
	}
	want := []string{
		"core 0 stalled for 12 ms: websocket, repetition 2, invalid", "core 0 stalled for 11 ms: sse, repetition 2",
		"core 0 stalled for 10 ms: longpoll, repetition 2", "core 0 stalled for 9 ms: shortpoll, repetition 2",
		"core 0 stalled for 8 ms: websocket, repetition 1", "core 1 stalled for 31 ms: websocket, repetition 2, invalid",
	}
	if !slices.Equal(events, want) {
		t.Errorf("events %q\nwant   %q", events, want)
	}
}

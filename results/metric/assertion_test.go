package metric

import (
	"math"
	"strings"
	"testing"
)

var grammar = Grammar{Transports: []string{"shortpoll", "sse", "websocket", "webhook"}}

func TestAssertionIsParsed(t *testing.T) {
	for text, want := range map[string]Assertion{
		"lost == 0":             {Metric: "lost", Op: "==", Bound: 0},
		"p(99) < 200ms":         {Metric: "p(99)", Op: "<", Bound: 200},
		"websocket p(99.9)<=1s": {Configuration: "websocket", Metric: "p(99.9)", Op: "<=", Bound: 1000},
		"sse med > 1µs":         {Configuration: "sse", Metric: "p(50)", Op: ">", Bound: 0.001},
		"age avg < 1.5s":        {Metric: "age_mean", Op: "<", Bound: 1500},
		"age p(95) < 2m":        {Metric: "age_p(95)", Op: "<", Bound: 120_000},
		"connect p(99) < 50ms":  {Metric: "connect_p(99)", Op: "<", Bound: 50},
		"max<1s":                {Metric: "max", Op: "<", Bound: 1000},
		"websocket reply p(50) < 1.5 * webhook forward=yes": {Configuration: "websocket", Metric: "reply_p(50)", Op: "<", Times: 1.5, OtherConfiguration: "webhook forward=yes", OtherMetric: "reply_p(50)"},
		"replies_lost == 0":            {Metric: "replies_lost", Op: "=="},
		"ack_p99 >= 2ms":               {Metric: "ack_p99", Op: ">=", Bound: 2},
		"empty_response_share < 5%":    {Metric: "empty_response_share", Op: "<", Bound: 0.05},
		"wire_bytes_per_message<1KiB":  {Metric: "wire_bytes_per_message", Op: "<", Bound: 1024},
		"server_memory_per_client<1MB": {Metric: "server_memory_per_client", Op: "<", Bound: 976.5625},
		"cpu_per_message < 0.1ms":      {Metric: "cpu_per_message", Op: "<", Bound: 100},
		"requests_per_message != 0":    {Metric: "requests_per_message", Op: "!=", Bound: 0},

		"sse p(99) < shortpoll":                              {Configuration: "sse", Metric: "p(99)", Op: "<", Times: 1, OtherConfiguration: "shortpoll", OtherMetric: "p(99)"},
		"sse p(99) < 0.5 * shortpoll":                        {Configuration: "sse", Metric: "p(99)", Op: "<", Times: 0.5, OtherConfiguration: "shortpoll", OtherMetric: "p(99)"},
		"sse p(99)<0.5*shortpoll p(50)":                      {Configuration: "sse", Metric: "p(99)", Op: "<", Times: 0.5, OtherConfiguration: "shortpoll", OtherMetric: "p(50)"},
		"p50 <= websocket ack_p50":                           {Metric: "p50", Op: "<=", Times: 1, OtherConfiguration: "websocket", OtherMetric: "ack_p50"},
		"sse batching_delay=5ms p50 < sse batching_delay=0s": {Configuration: "sse batching_delay=5ms", Metric: "p50", Op: "<", Times: 1, OtherConfiguration: "sse batching_delay=0s", OtherMetric: "p50"},
	} {
		got, err := grammar.Assertion(text)
		if math.Abs(got.Bound-want.Bound) < 1e-9 {
			got.Bound = want.Bound
		}
		want.Text = got.Text
		if err != nil || got != want {
			t.Errorf("%s: got %+v (%v), want %+v", text, got, err, want)
		}
	}
}

func TestMalformedAssertionIsRefused(t *testing.T) {
	for text, want := range map[string]string{
		"":                          "no operator",
		"lost":                      "no operator",
		"== 0":                      "no metric before ==",
		"websocket < 1s":            "no metric before <",
		"lost ==":                   "no bound after ==",
		"latency < 1s":              `"latency" is not a metric`,
		"lots == 0":                 "or one of replies_lost, expected,",
		"min < 1s":                  "the minimum of many values",
		"p(100) < 1s":               `"p(100)" is not a metric`,
		"p(0) < 1s":                 `"p(0)" is not a metric`,
		"age lost == 0":             `"age lost" is not a metric`,
		"p(99) < 200":               "is not a valid bound of this metric; use a number with one of ns, us, µs, ms, s, m",
		"p(99) < 5%":                "is not a valid bound of this metric",
		"lost == 0ms":               "use a number with one of %, no unit",
		"lost == 0 sse":             `unexpected "sse" after the bound`,
		"p(99) p(50) < 1s":          `unexpected "p(50)" after the metric`,
		"p(99) < 2 * 3":             "is not a metric",
		"p(99) < 2ms * sse":         "must be a number without a unit",
		"p(99) < 2 * p(50)":         "a ratio must name a transport",
		"p(99) < lost":              "a ratio must name a transport",
		"p(99) < sse lost":          "have different units",
		"carrier-pigeon p(99) < 1s": "syntax error",
		"p(99) < 1s && lost == 0":   "syntax error",
		"p(99) < 1s < 2s":           `unexpected "<" after the bound`,
		"p(99) < 1" + strings.Repeat("0", 400) + "s": "is too large",
	} {
		if got, err := grammar.Assertion(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %+v, %v; want an error with %q", text, got, err, want)
		}
	}
}

func TestHintIsGivenForAnUnknownMetric(t *testing.T) {
	g := Grammar{Hint: func(typed string, known []string) string { return "did you mean " + known[0] + ", not " + typed + "?" }}
	if _, err := g.Assertion("lots == 0"); err == nil || !strings.HasSuffix(err.Error(), `"lots" is not a metric; did you mean p50, not lots?`) {
		t.Errorf("got %v", err)
	}
}

func TestTextIsNormalizedToOneLine(t *testing.T) {
	if a, err := grammar.Assertion(" lost \n == 0"); err != nil || a.Text != "lost == 0" {
		t.Errorf("got %q, %v", a.Text, err)
	}
}

// A parsed assertion passes Check; one from a file that has an unknown metric or operator does not.
func TestCheckRefusesAnInvalidAssertion(t *testing.T) {
	for name, a := range map[string]Assertion{
		"no metric":       {Op: "<"},
		"unknown metric":  {Metric: "latency", Op: "<"},
		"unknown op":      {Metric: "lost", Op: "~"},
		"no other metric": {Metric: "p50", Op: "<", OtherConfiguration: "sse"},
	} {
		if err := a.Check(); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	if err := (Assertion{Metric: "p(95)", Op: "<", OtherConfiguration: "sse", OtherMetric: "p50"}).Check(); err != nil {
		t.Errorf("a valid assertion: %v", err)
	}
}

func TestHolds(t *testing.T) {
	for op, want := range map[string][3]bool{ // 1 compared with 0, 1 and 2
		"<": {false, false, true}, "<=": {false, true, true}, ">": {true, false, false},
		">=": {true, true, false}, "==": {false, true, false}, "!=": {true, false, true},
	} {
		for bound, holds := range want {
			if got := (Assertion{Op: op}).Holds(1, float64(bound)); got != holds {
				t.Errorf("1 %s %d: %v", op, bound, got)
			}
		}
	}
}

func TestFind(t *testing.T) {
	for name, want := range map[string]Metric{
		"lost":        {"lost", "lost", "", Lower, false},
		"p(95)":       {"p(95)", "latency p95", "ms", Lower, false},
		"age_p(99.9)": {"age_p(99.9)", "age p99.9", "ms", Lower, false},
		"reply_p(50)": {"reply_p(50)", "reply round trip p50", "ms", Lower, false},
	} {
		if got, ok := Find(name); !ok || got != want {
			t.Errorf("%s: got %+v, want %+v", name, got, want)
		}
	}
	for _, name := range []string{"", "p", "p()", "p(0)", "p(100)", "p(99)x", "lost_p(50)", "p(-1)", "latency"} {
		if m, ok := Find(name); ok {
			t.Errorf("%q is a metric: %+v", name, m)
		}
	}
}

// An assertion about a metric accepts a bound in the metric's own unit.
func TestEveryMetricAcceptsItsUnit(t *testing.T) {
	names := map[string]bool{}
	for _, m := range All {
		if a, err := grammar.Assertion(m.Name + " < 3" + m.Unit); err != nil || a.Metric != m.Name || a.Bound != 3 {
			t.Errorf("%s: %+v, %v", m.Name, a, err)
		}
		if m.Title == "" || names[m.Name] || m.Primary && m.Better != Lower {
			t.Errorf("%+v: no title, a duplicate name, or primary without lower being better", m)
		}
		names[m.Name] = true
	}
}

func FuzzAssertion(f *testing.F) {
	for _, text := range []string{"lost == 0", "websocket p(99) < 50ms", "sse p(99) < 0.5 * shortpoll age p(50)", "sse batching_delay=5ms p50 < 1µs", "p(1e9)<1", "<", "* * *"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		s, err := grammar.Assertion(text)
		if err != nil {
			return
		}
		if s.Metric == "" || s.Op == "" || (s.OtherConfiguration == "") != (s.OtherMetric == "") || s.Bound < 0 || math.IsInf(s.Bound, 0) || s.Times < 0 {
			t.Errorf("%q was parsed as %+v", text, s)
		}
	})
}

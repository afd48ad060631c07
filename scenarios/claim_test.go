package scenarios

import (
	"math"
	"strings"
	"testing"
)

func TestClaimsAreUnderstood(t *testing.T) {
	for text, want := range map[Claim]Statement{
		"lost == 0":             {Figure: "lost", Op: "==", Bound: 0},
		"p(99) < 200ms":         {Figure: "p(99)", Op: "<", Bound: 200},
		"websocket p(99.9)<=1s": {Case: "websocket", Figure: "p(99.9)", Op: "<=", Bound: 1000},
		"sse med > 1µs":         {Case: "sse", Figure: "p(50)", Op: ">", Bound: 0.001},
		"age avg < 1.5s":        {Figure: "age_mean", Op: "<", Bound: 1500},
		"age p(95) < 2m":        {Figure: "age_p(95)", Op: "<", Bound: 120_000},
		"connect p(99) < 50ms":  {Figure: "connect_p(99)", Op: "<", Bound: 50},
		"max<1s":                {Figure: "max", Op: "<", Bound: 1000},
		"websocket answer p(50) < 1.5 * webhook forward=yes": {Case: "websocket", Figure: "answer_p(50)", Op: "<", Times: 1.5, OtherCase: "webhook forward=yes", OtherFigure: "answer_p(50)"},
		"answers_lost == 0":            {Figure: "answers_lost", Op: "=="},
		"ack_p99 >= 2ms":               {Figure: "ack_p99", Op: ">=", Bound: 2},
		"empty_answer_share < 5%":      {Figure: "empty_answer_share", Op: "<", Bound: 0.05},
		"wire_bytes_per_message<1KiB":  {Figure: "wire_bytes_per_message", Op: "<", Bound: 1024},
		"server_memory_per_client<1MB": {Figure: "server_memory_per_client", Op: "<", Bound: 976.5625},
		"cpu_per_message < 0.1ms":      {Figure: "cpu_per_message", Op: "<", Bound: 100},
		"requests_per_message != 0":    {Figure: "requests_per_message", Op: "!=", Bound: 0},

		"sse p(99) < shortpoll":            {Case: "sse", Figure: "p(99)", Op: "<", Times: 1, OtherCase: "shortpoll", OtherFigure: "p(99)"},
		"sse p(99) < 0.5 * shortpoll":      {Case: "sse", Figure: "p(99)", Op: "<", Times: 0.5, OtherCase: "shortpoll", OtherFigure: "p(99)"},
		"sse p(99)<0.5*shortpoll p(50)":    {Case: "sse", Figure: "p(99)", Op: "<", Times: 0.5, OtherCase: "shortpoll", OtherFigure: "p(50)"},
		"p50 <= websocket ack_p50":         {Figure: "p50", Op: "<=", Times: 1, OtherCase: "websocket", OtherFigure: "ack_p50"},
		"sse flush=5ms p50 < sse flush=0s": {Case: "sse flush=5ms", Figure: "p50", Op: "<", Times: 1, OtherCase: "sse flush=0s", OtherFigure: "p50"},
	} {
		got, err := text.Parse()
		if math.Abs(got.Bound-want.Bound) < 1e-9 {
			got.Bound = want.Bound
		}
		if err != nil || got != want {
			t.Errorf("%s: got %+v (%v), want %+v", text, got, err, want)
		}
	}
}

func TestClaimsThatCannotBeJudged(t *testing.T) {
	for text, want := range map[Claim]string{
		"":                          "it compares nothing",
		"lost":                      "it compares nothing",
		"== 0":                      "there is no metric before ==",
		"websocket < 1s":            "there is no metric before <",
		"lost ==":                   "there is nothing after ==",
		"latency < 1s":              `"latency" is no metric`,
		"lots == 0":                 "did you mean `lost`?",
		"min < 1s":                  "the least of many says nothing",
		"p(100) < 1s":               `"p(100)" is no metric`,
		"p(0) < 1s":                 `"p(0)" is no metric`,
		"age lost == 0":             `"age lost" is no metric`,
		"p(99) < 200":               "is no bound of this metric; it is written with ns, us, µs, ms, s, m",
		"p(99) < 5%":                "is no bound of this metric",
		"lost == 0ms":               "it is written with %, no unit",
		"lost == 0 sse":             `"sse" after the bound cannot be read`,
		"p(99) p(50) < 1s":          `"p(50)" after the metric cannot be read`,
		"p(99) < 2 * 3":             "is no metric",
		"p(99) < 2ms * sse":         "is no bare number",
		"p(99) < 2 * p(50)":         "is compared with that of a named transport",
		"p(99) < lost":              "is compared with that of a named transport",
		"p(99) < sse lost":          "are not measured in the same unit",
		"carrier-pigeon p(99) < 1s": "cannot be read",
		"p(99) < 1s && lost == 0":   "cannot be read",
		"p(99) < 1s < 2s":           "after the bound cannot be read",
		"p(99) < 1" + Claim(strings.Repeat("0", 400)) + "s": "is too large",
	} {
		if got, err := text.Parse(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %+v, %v; want an error that says %q", text, got, err, want)
		}
	}
}

func TestEveryFigureHasAUnit(t *testing.T) {
	all := Figures()
	if len(all) != len(figures) {
		t.Errorf("%d figures have a unit of results, of %d", len(all), len(figures))
	}
	for _, m := range Metrics {
		if _, ok := all[string(m)]; !ok {
			t.Errorf("%s can be compared by, and not claimed", m)
		}
	}
}

func FuzzClaim(f *testing.F) {
	for _, text := range []string{"lost == 0", "websocket p(99) < 50ms", "sse p(99) < 0.5 * shortpoll age p(50)", "sse flush=5ms p50 < 1µs", "p(1e9)<1", "<", "* * *"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		s, err := Claim(text).Parse()
		if err != nil {
			return
		}
		if s.Figure == "" || s.Op == "" || (s.OtherCase == "") != (s.OtherFigure == "") || s.Bound < 0 || math.IsInf(s.Bound, 0) || s.Times < 0 {
			t.Errorf("%q was understood as %+v", text, s)
		}
	})
}

package scenarios

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// deprecated lists, for each old name, a line with it and the same line with the current name.
// base replaces the scenario around them where small is not enough.
var deprecated = []struct{ old, now, line, base string }{
	{old: "needs", now: "requirements", line: "%: [lost == 0]"},
	{old: "claims", now: "assertions", line: "%: [lost == 0]"},
	{old: "blocks", now: "repetitions", line: "%: 7"},
	{old: "stack", now: "library", line: "%: nethttp"},
	{old: "inputs", now: "upstream", line: "%: {rate: 10/s, size: 40B}"},
	{old: "answers", now: "replies", line: "%: {size: 40B}\ntopics: {count: 10}"},
	{old: "visitors", now: "short_lived", line: "%: {rate: 2/s}"},
	{old: "hold", now: "timeout", line: "longpoll: {%: 3s}"},
	{old: "flush", now: "batching_delay", line: "longpoll: {%: 3ms}"},
	{old: "flush", now: "batching_delay", line: "sse: {%: 3ms}"},
	{old: "flush", now: "batching_delay", line: "httpstream: {%: 3ms}"},
	{old: "flush", now: "batching_delay", line: "websocket: {%: 3ms}"},
	{old: "answer", now: "response", line: "headers: {%: 300B}"},
	{old: "stack", now: "library", line: "sweep: {%: [nethttp, fasthttp]}"},
	{old: "flush", now: "batching_delay", line: "sweep: {%: [0s, 5ms]}"},
	{old: "figures", now: "values", line: "published: {source: x, %: [{what: y, printed: z, value: sse p(99)}]}"},
	{old: "figure", now: "value", line: "published: {source: x, values: [{what: y, printed: z, %: sse p(99)}]}"},
	{old: "says", now: "printed", line: "published: {source: x, values: [{what: y, %: z, value: sse p(99)}]}"},
	{old: "reporters", now: "publish_only", line: "", base: strings.Replace(small, "by: backend", "by: %", 1)},
	{old: "flush=", now: "batching_delay=", line: "sweep: {batching_delay: [0s, 5ms]}\nassertions: [sse %5ms p(50) < 0.5 * sse %0s]"},
	{old: "stack=", now: "library=", line: "sweep: {library: [nethttp]}\nassertions: [sse %nethttp lost == 0]"},
	{old: "answer_p50", now: "reply_p50", line: "compare: {primary: [%]}"},
	{old: "answer_p99", now: "reply_p99", line: "compare: {primary: [%]}"},
	{old: "owed", now: "expected", line: "assertions: [% > 0]"},
	{old: "answers_lost", now: "replies_lost", line: "assertions: [%==0]"},
	{old: "answer", now: "reply", line: "assertions: [sse % p(95) < 2 * websocket % p(95)]"},
	{old: "answer_p50", now: "reply_p50", line: "assertions: [% < 1s]"},
	{old: "empty_answer_share", now: "empty_response_share", line: "assertions: [% < 0.05]"},
	{old: "visitors_unheard", now: "short_lived_without_message", line: "assertions: [% == 0]"},
	{old: "visitors_ready_p50", now: "short_lived_ready_p50", line: "assertions: [% < 1s]"},
	{old: "flush=", now: "batching_delay=", line: "sweep: {batching_delay: [0s, 5ms]}\npublished: {source: x, values: [{what: y, printed: z, value: sse %5ms avg, over: sse %0s avg}]}"},
}

func TestDeprecatedNamesAreAccepted(t *testing.T) {
	for _, c := range deprecated {
		base := c.base
		if base == "" {
			base = small
		}
		text := base + c.line + "\n"
		want := read(t, strings.ReplaceAll(text, "%", c.now))
		got := read(t, strings.ReplaceAll(text, "%", c.old))
		if len(want.Warnings) > 0 {
			t.Errorf("%s: current name: warnings %q", c.now, want.Warnings)
		}
		if len(got.Warnings) != 1 || !strings.HasSuffix(got.Warnings[0], `: "`+c.old+`" is deprecated: use "`+c.now+`"`) {
			t.Errorf("%s: got warnings %q", c.old, got.Warnings)
		}
		got.Warnings = nil
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s reads differently than %s: -new +old:\n%s", c.old, c.now, diff)
		}
		if strings.Contains(string(got.YAML()), c.old+":") {
			t.Errorf("YAML writes the deprecated name %q:\n%s", c.old, got.YAML())
		}
	}
}

// Every deprecated name of a rule has a row in the table above.
func TestEveryDeprecatedNameIsTested(t *testing.T) {
	tested := map[[2]string]bool{}
	for _, c := range deprecated {
		tested[[2]string{c.old, c.now}] = true
	}
	var visit func(r *Rule)
	visit = func(r *Rule) {
		if r.Was != "" && !tested[[2]string{r.Was, r.Name}] {
			t.Errorf("%q, now %q, is not tested", r.Was, r.Name)
		}
		for was, now := range r.Renamed {
			if !tested[[2]string{was, now}] {
				t.Errorf("%q, now %q, is not tested", was, now)
			}
		}
		for _, f := range r.Fields {
			visit(f)
		}
		if r.Item != nil {
			visit(r.Item)
		}
	}
	visit(rules())
}

func TestDeprecatedNamesYieldOneWarning(t *testing.T) {
	s := read(t, small+"needs: [lost == 0]\nsse: {flush: 1ms}\nwebsocket: {flush: 1ms}\nclaims:\n- lost == 0\n")
	want := []string{`small.yaml:11:1: "needs" is deprecated: use "requirements" (and 2 more old names: "flush": "batching_delay", "claims": "assertions")`}
	if diff := cmp.Diff(want, s.Warnings); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestVaryAcceptsDeprecatedNames(t *testing.T) {
	s := read(t, small)
	if err := s.Vary("stack", "nethttp, fasthttp"); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]Library{NetHTTP, FastHTTP}, s.Sweep.Library); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if diff := cmp.Diff([]string{`--sweep: "stack" is deprecated: use "library"`}, s.Warnings); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// The hash does not depend on which names a file uses.
func TestHashIsThatOfTheCurrentNames(t *testing.T) {
	for _, c := range deprecated {
		base := c.base
		if base == "" {
			base = small
		}
		text := base + c.line + "\n"
		if got, want := read(t, strings.ReplaceAll(text, "%", c.old)).Hash(), read(t, strings.ReplaceAll(text, "%", c.now)).Hash(); got != want {
			t.Errorf("%s: got %s, want %s", c.old, got, want)
		}
	}
}

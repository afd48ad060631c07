package results

import (
	"strings"

	"pushbench/results/former"
	"pushbench/results/metric"
)

// The names of format version 1, and of the folders before it, which had no version of their own.
// Only a folder of version 1 is translated.

var (
	status1    = former.Name{Text: former.Words(map[string]string{"PARTIAL": string(Partial), "SATURATED": string(Saturated)})}
	names1     = former.Name{Text: metric.CurrentNames} // a metric, a configuration or a text that contains both
	ledger1    = former.Name{In: former.Names{"owed": {Now: "expected"}, "unique": {Now: "delivered"}}}
	assertion1 = former.Names{
		"text":         names1,
		"case":         {Now: "configuration", Text: metric.CurrentNames},
		"figure":       {Now: "metric", Text: metric.CurrentNames},
		"other_case":   {Now: "other_configuration", Text: metric.CurrentNames},
		"other_figure": {Now: "other_metric", Text: metric.CurrentNames},
	}
	configuration1 = former.Names{"name": names1, "stack": {Now: "library"}, "flush_ns": {Now: "batching_delay_ns"}}
)

var manifest1 = former.Names{
	"status":  status1,
	"beside":  {Now: "baseline"},
	"host":    {In: former.Names{"standstills": {Now: "stalls"}, "standstills_after": {Now: "stalls_after"}}},
	"pinning": {In: former.Names{"asked": {Now: "requested"}}},
	"workload": {In: former.Names{
		"publisher":   {Text: former.Words(map[string]string{"reporters": "publish_only"})},
		"reporters":   {Now: "publish_only"},
		"input_rate":  {Now: "upstream_rate"},
		"input_bytes": {Now: "upstream_bytes"},
		"hold_ns":     {Now: "poll_timeout_ns"},
		"flush_ns":    {Now: "batching_delay_ns", In: former.Names{former.Any: {Key: metric.CurrentNames}}},
	}},
	"blocks":  {Now: "repetitions"},
	"cases":   {Now: "configurations", In: configuration1},
	"orders":  names1,
	"compare": {In: former.Names{"primary": names1}},
	"needs":   {Now: "requirements", In: assertion1},
	"claims":  {Now: "assertions", In: assertion1},
	"published": {In: former.Names{"figures": {Now: "values", In: former.Names{
		"says":        {Now: "printed"},
		"case":        {Now: "configuration", Text: metric.CurrentNames},
		"metric":      names1,
		"over_case":   {Now: "over_configuration", Text: metric.CurrentNames},
		"over_metric": names1,
	}}}},
	"stack":      {Now: "library"},
	"servers":    {In: former.Names{former.Any: {Key: metric.CurrentNames}}},
	"conditions": {Text: condition1},
}

var trial1 = former.Names{
	"block":     {Now: "repetition"},
	"case":      {Now: "configuration", Text: metric.CurrentNames},
	"stack":     {Now: "library"},
	"flush_ns":  {Now: "batching_delay_ns"},
	"again":     {Now: "attempt"},
	"status":    status1,
	"ledger":    ledger1,
	"freshness": {Now: "age"},
	"answers":   {Now: "replies", In: former.Names{"ledger": ledger1}},
	"connect": {In: former.Names{
		"stages":    {In: former.Names{"answer": {Now: "response"}}},
		"reporters": {Now: "publish_only"},
	}},
	"visits":   {Now: "short_lived", In: former.Names{"came": {Now: "started"}}},
	"cost":     {In: former.Names{"wire": {In: former.Names{"empty_answers": {Now: "empty_responses"}}}}},
	"settings": {In: former.Names{former.Any: {Key: setting1, Text: former.Words(map[string]string{"not shown": "unknown"})}}},
	"theory":   {Now: "predicted", In: former.Names{"metric": names1}},
	"gates":    {Now: "checks", In: former.Names{"name": {Text: check1}}},
}

var interval1 = former.Names{
	"block": {Now: "repetition"},
	"case":  {Now: "configuration", Text: metric.CurrentNames},
	"again": {Now: "attempt"},
}

// setting1 is the current name of a trial's setting.
var setting1 = former.Words(map[string]string{
	"server stack":                    "server library",
	"server flush_ns":                 "server batching_delay_ns",
	"server limits.hold_ns":           "server limits.max_poll_timeout_ns",
	"server limits.answer_head_bytes": "server limits.response_header_bytes",
})

// check1 is the current name of a validity check.
var check1 = former.Words(map[string]string{
	"no hidden dials":                "no hidden connections",
	"every byte understood":          "all bytes accounted for",
	"pinned as asked":                "pinned as requested",
	"generator below its ceiling":    "generator below its maximum",
	"servers are paired":             "same settings for all servers",
	"nothing changed between blocks": "nothing changed between repetitions",
})

// condition1 is a condition with the current beginning of the one that reports count.
func condition1(text string) string {
	const old, now = "on purpose, servers differ in ", "servers differ on purpose in "
	rest, ok := strings.CutPrefix(text, old)
	if !ok {
		return text
	}
	setting, values, _ := strings.Cut(rest, ": ")
	return now + strings.TrimPrefix(setting1("server "+setting), "server ") + ": " + values
}

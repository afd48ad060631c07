package generator

import (
	"maps"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"pushbench/bench/validity"
	"pushbench/results"
	"pushbench/scenarios/transports"
)

// Parts merged in any order equal the result of a single recorder: counts add up, and histograms
// are equal in every bucket.
func TestMergeIsExact(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		values := rapid.SliceOf(rapid.Int64Range(-1, int64(11*time.Minute))).Draw(rt, "latencies")
		parts := make([]results.Latency, rapid.IntRange(1, 5).Draw(rt, "parts"))
		var single results.Latency
		for _, v := range values {
			p := &parts[rapid.IntRange(0, len(parts)-1).Draw(rt, "part")]
			for _, l := range []*results.Latency{p, &single} {
				l.Histogram.Record(time.Duration(v))
				l.Infinite += v % 3
				l.Independent++
			}
		}
		var sum results.Latency
		for _, p := range rapid.Permutation(parts).Draw(rt, "order") {
			results.Merge(&sum, p)
		}
		if !sum.Histogram.Equal(single.Histogram) || sum.Infinite != single.Infinite || sum.Independent != single.Independent {
			rt.Errorf("merged: %d values, max %v, %d infinite; want %d, %v, %d", sum.Histogram.Count(), sum.Histogram.Max(),
				sum.Infinite, single.Histogram.Count(), single.Histogram.Max(), single.Infinite)
		}
	})
}

// fill sets every number of a struct to a different value, so that a test detects a field that
// merging or subtracting omits, including fields added later.
func fill(v reflect.Value, next *int64) {
	switch v.Kind() {
	case reflect.Int64:
		*next += 7
		v.SetInt(*next)
	case reflect.Float64:
		*next += 7
		v.SetFloat(float64(*next))
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				fill(v.Field(i), next)
			}
		}
	}
}

// each calls check with the name and the values of every number in two structs of the same type.
func each(a, b reflect.Value, name string, check func(name string, a, b int64)) {
	switch a.Kind() {
	case reflect.Int64:
		check(name, a.Int(), b.Int())
	case reflect.Struct:
		for i := range a.NumField() {
			if a.Type().Field(i).IsExported() {
				each(a.Field(i), b.Field(i), name+"."+a.Type().Field(i).Name, check)
			}
		}
	}
}

func TestMergeLedgerIncludesEveryField(t *testing.T) {
	var from results.Ledger
	next := int64(0)
	fill(reflect.ValueOf(&from).Elem(), &next)
	from.LostBy = map[string]int64{"not sent": 3, "not delivered": 4}
	to := results.Ledger{LostBy: map[string]int64{"not sent": 1}}
	results.Merge(&to, from)
	results.Merge(&to, from)
	each(reflect.ValueOf(to), reflect.ValueOf(from), "Ledger", func(name string, got, one int64) {
		if got != 2*one {
			t.Errorf("%s: merging %d twice gives %d", name, one, got)
		}
	})
	if want := map[string]int64{"not sent": 7, "not delivered": 8}; !maps.Equal(to.LostBy, want) {
		t.Errorf("lost by %v, want %v", to.LostBy, want)
	}
}

func TestMinusIncludesEveryField(t *testing.T) {
	var later, earlier results.Wire
	next := int64(0)
	fill(reflect.ValueOf(&earlier).Elem(), &next)
	next *= 1000
	fill(reflect.ValueOf(&later).Elem(), &next)
	d := results.Minus(later, earlier)
	difference := reflect.ValueOf(later).Field(0).Field(0).Int() - reflect.ValueOf(earlier).Field(0).Field(0).Int()
	each(reflect.ValueOf(d), reflect.ValueOf(d), "Wire", func(name string, got, _ int64) {
		if got != difference { // equal for all fields, since both structs are filled in steps of 7
			t.Errorf("%s: %d, want %d", name, got, difference)
		}
	})
}

func TestMergeConnect(t *testing.T) {
	part := func(clients int64, roundTrips float64, ready time.Duration) results.Connect {
		var h results.Histogram
		for range clients {
			h.Record(ready)
		}
		return results.Connect{
			Clients: clients, RoundTrips: roundTrips, BytesUp: 10 * clients, BytesDown: 20 * clients,
			Failed: 1, FailedBy: map[string]int64{"refused": 2}, Stages: map[string]results.Histogram{"ready": h},
		}
	}
	sum := results.Connect{Stages: map[string]results.Histogram{}, FailedBy: map[string]int64{}}
	for _, p := range []results.Connect{part(30, 2, time.Millisecond), part(0, 0, 0), part(10, 6, time.Second)} {
		MergeConnect(&sum, p)
	}
	ready := sum.Stages["ready"]
	if sum.Clients != 40 || sum.RoundTrips != 3 || sum.BytesUp != 400 || sum.BytesDown != 800 || sum.Failed != 3 || sum.FailedBy["refused"] != 6 {
		t.Errorf("%+v; want 40 clients, 3 round trips on average, 400 and 800 bytes, 3 failed, 6 refusals", sum)
	}
	if ready.Count() != 40 || ready.Max() != time.Second {
		t.Errorf("%d ready, the last after %v; want 40, 1s", ready.Count(), ready.Max())
	}
}

// A merged quantile is the quantile of all values, not the mean of the parts' quantiles.
func TestQuantilesAreNotAveraged(t *testing.T) {
	var fast, slow results.Latency
	for range 990 {
		fast.Histogram.Record(time.Millisecond)
	}
	for range 10 {
		slow.Histogram.Record(time.Second)
	}
	var sum results.Latency
	results.Merge(&sum, fast)
	results.Merge(&sum, slow)
	got := sum.Histogram.Quantile(0.98)
	mean := (fast.Histogram.Quantile(0.98) + slow.Histogram.Quantile(0.98)) / 2
	if got > 2*time.Millisecond || mean < 400*time.Millisecond {
		t.Errorf("p98 of all values %v, mean of the parts %v; want 1 ms and 500 ms", got, mean)
	}
}

// Outcomes of several load generators are added up, except values that they share.
func TestMergeOutcomeIncludesEveryField(t *testing.T) {
	var from Outcome
	next := int64(0)
	fill(reflect.ValueOf(&from).Elem(), &next)
	const messages = 5
	from.Ack.Independent, from.Latency.Independent = messages, messages
	from.Broken = map[string]int64{"reset": 3}
	from.Publishes.FailedBy, from.Publishes.DroppedBy = map[string]int64{"503": 1}, map[string]int64{"closed": 2}
	from.Ledger.LostBy = map[string]int64{"not sent": 4}
	to := from
	to.Broken, to.Cut = maps.Clone(from.Broken), false
	to.Publishes.FailedBy, to.Publishes.DroppedBy = maps.Clone(from.Publishes.FailedBy), maps.Clone(from.Publishes.DroppedBy)
	to.Ledger.LostBy = maps.Clone(from.Ledger.LostBy)
	from.Cut = true
	mergeOutcome(&to, from, transports.SSE)
	shared := map[string]bool{ // equal for all, or the maximum
		"Outcome.Span": true, "Outcome.Publishes.LateAfter": true, "Outcome.Age.Oldest": true,
		"Outcome.Latency.Independent": true, "Outcome.Ack.Independent": true,
	}
	each(reflect.ValueOf(to), reflect.ValueOf(from), "Outcome", func(name string, got, one int64) {
		switch want := 2 * one; {
		case strings.HasPrefix(name, "Outcome.InFlight."): // mergeFlights does that
		case name == "Outcome.Age.Independent":
			if got != messages {
				t.Errorf("%s is %d, want %d: every age requires a message", name, got, messages)
			}
		case shared[name] && got != one, !shared[name] && got != want:
			t.Errorf("%s: merging two of %d gives %d", name, one, got)
		}
	})
	if to.Broken["reset"] != 6 || to.Publishes.FailedBy["503"] != 2 || to.Publishes.DroppedBy["closed"] != 4 || to.Ledger.LostBy["not sent"] != 8 || !to.Cut {
		t.Errorf("%v %v %v %v, cut %v", to.Broken, to.Publishes.FailedBy, to.Publishes.DroppedBy, to.Ledger.LostBy, to.Cut)
	}
	polled := Outcome{Latency: results.Latency{Independent: 40}, Ack: results.Latency{Independent: 50}}
	mergeOutcome(&polled, polled, transports.ShortPoll)
	if polled.Latency.Independent != 80 || polled.Age.Independent != 50 {
		t.Errorf("%d poll cycles, %d independent ages; want 80 of both clients, 50 messages", polled.Latency.Independent, polled.Age.Independent)
	}
}

// Each load generator counts until nothing is in flight to its own clients. The sum has the
// longest span.
func TestMergeFlights(t *testing.T) {
	all := []validity.InFlight{
		{Mean: 3, Error: 0.3, MaxError: 0.25, Squares: 7, Samples: 100, Late: 3, MaxGap: time.Second, Span: 10 * time.Second, Missing: time.Second},
		{Mean: 2, Error: 0.8, MaxError: 0.5, Squares: 5, Samples: 50, Late: 4, MaxGap: 2 * time.Second, Span: 5 * time.Second, Missing: time.Minute},
	}
	got, want := mergeFlights(all), validity.InFlight{Mean: 4, Error: 0.5, MaxError: 0.5, Squares: 12, Samples: 150, Late: 7, MaxGap: 2 * time.Second, Span: 10 * time.Second, Missing: 61 * time.Second}
	if math.Abs(got.Mean-want.Mean) > 1e-12 || math.Abs(got.Error-want.Error) > 1e-12 {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if got.Mean, got.Error = want.Mean, want.Error; got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if none := mergeFlights([]validity.InFlight{{}, {}}); none != (validity.InFlight{}) {
		t.Errorf("without samples: %+v, want zero", none)
	}
}

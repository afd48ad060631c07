package results

import (
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

// A number without an add tag would be lost in every sum.
func TestEveryNumberHasAnAddTag(t *testing.T) {
	rules := []string{"sum", "max", "shown", "mean", "-"}
	check := func(v reflect.Value) {
		numbers := 0
		walk(v.Type().Name()+".", v, v, func(n number) {
			if !n.to.CanInt() && !n.to.CanUint() && !n.to.CanFloat() {
				return
			}
			numbers++
			for rule := range strings.SplitSeq(n.tag.Get("add"), ",") {
				if !slices.Contains(rules, rule) {
					t.Errorf("%s has the tag add:%q, want one or two of %s", n.name, rule, strings.Join(rules, ", "))
				}
			}
		})
		if numbers < 8 {
			t.Errorf("%s: only %d numbers were visited", v.Type(), numbers)
		}
	}
	check(reflect.ValueOf(&Trial{Link: new(Link)}).Elem())
	check(reflect.ValueOf(new(Interval)).Elem())
}

func TestPool(t *testing.T) {
	part := func(n int64, roundTrips float64, segments int64) Trial {
		var late Histogram
		late.Record(time.Duration(n) * time.Millisecond)
		return Trial{
			Repetition: 3, Took: time.Duration(n), Publishes: Publishes{LateAfter: time.Duration(n), FailedBy: map[string]int64{"503": n}},
			Connect: Connect{Took: time.Duration(n), RoundTrips: roundTrips, Stages: map[string]Histogram{"tcp": late}},
			Cost:    Cost{Server: Process{Processes: int(n), CPU: time.Duration(n)}, Wire: Wire{Up: Direction{Bytes: n, Segments: segments}}},
			Link:    &Link{Up: LinkDirection{Packets: n, Late: late}},
		}
	}
	p := Pool([]Trial{part(1, 2, 10), part(4, 3, 20)})
	if p.Repetition != 0 || p.Took != 5 || p.Publishes.LateAfter != 4 || !maps.Equal(p.Publishes.FailedBy, map[string]int64{"503": 5}) {
		t.Errorf("repetition %d, took %d, late after %d, failed by %v; want 0, 5, 4, map[503:5]", p.Repetition, p.Took, p.Publishes.LateAfter, p.Publishes.FailedBy)
	}
	if stage := p.Connect.Stages["tcp"]; p.Connect.Took != 5 || p.Connect.RoundTrips != 2.5 || stage.Count() != 2 {
		t.Errorf("connect took %d, %v round trips, %d in a stage; want 5, 2.5, 2", p.Connect.Took, p.Connect.RoundTrips, stage.Count())
	}
	if c := p.Cost; c.Server.Processes != 4 || c.Server.CPU != 5 || c.Wire.Up.Bytes != 5 || c.Wire.Up.Segments != 30 {
		t.Errorf("cost %+v", c)
	}
	if p.Link == nil || p.Link.Up.Packets != 5 || p.Link.Up.Late.Count() != 2 {
		t.Errorf("link %+v", p.Link)
	}
	for order, trials := range map[string][]Trial{"last": {part(1, 2, 10), part(1, 0, 0)}, "first": {part(1, 0, 0), part(1, 2, 10)}} {
		if p := Pool(trials); p.Connect.RoundTrips != 0 || p.Cost.Wire.Up.Segments != 0 {
			t.Errorf("%s not reported: %v round trips, %d segments of both; want 0, 0", order, p.Connect.RoundTrips, p.Cost.Wire.Up.Segments)
		}
	}
}

// The generators of one trial connect at the same time.
func TestMergeTakesTheLongerConnectTime(t *testing.T) {
	to := Connect{Took: 3, Clients: 10}
	Merge(&to, Connect{Took: 2, Clients: 5})
	if to.Took != 3 || to.Clients != 15 {
		t.Errorf("%d clients took %d, want 15 and 3", to.Clients, to.Took)
	}
}

func TestNegativeNumberIsNamed(t *testing.T) {
	err := Possible(Trial{Cost: Cost{Wire: Wire{Up: Direction{Bytes: -1}}}})
	if want := "cost.wire.up.bytes is negative: -1"; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
	if err := Possible(Interval{Start: -1}); err != nil {
		t.Errorf("an interval of the warm-up: %v", err)
	}
}

// Every number of a manifest and of a trial is checked, also those in lists and maps.
func TestEveryNegativeNumberIsRefused(t *testing.T) {
	manifest := func() (any, func() error) {
		m := &Manifest{
			Status: Complete, Transports: []string{"sse"}, Configurations: []Configuration{{Name: "sse", Transport: "sse"}},
			Pinning: Pinning{Server: []int{0}, Generator: []int{1}}, Workload: Workload{BatchingDelay: map[string]time.Duration{"sse": 0}},
		}
		return m, func() error { return m.check() }
	}
	trial := func() (any, func() error) {
		trial := &Trial{Status: Complete, Transport: "sse", Link: new(Link), Webhooks: Webhooks{FailedBy: map[string]int64{"timeout": 0}}}
		return trial, func() error { return trial.check() }
	}
	refused := map[string]bool{}
	for _, fresh := range []func() (any, func() error){manifest, trial, func() (any, func() error) {
		m, check := manifest()
		return &m.(*Manifest).Host, check
	}, func() (any, func() error) {
		m, check := manifest()
		return &m.(*Manifest).Configurations[0], check
	}} {
		subject := func() (reflect.Value, func() error) {
			v, check := fresh()
			return reflect.ValueOf(v).Elem(), check
		}
		v, check := subject()
		if err := check(); err != nil {
			t.Fatal(err)
		}
		walk("", v, v, func(field number) {
			v, check := subject()
			walk("", v, v, func(n number) {
				if n.name == field.name && n.tag.Get("check") != "-" && negate(n.to) {
					refused[n.name] = true
					if err := check(); err == nil {
						t.Errorf("%s: -1 is accepted", n.name)
					}
				}
			})
		})
	}
	for _, name := range []string{"pinning.server", "workload.batching_delay_ns", "cores", "interval_ns", "webhooks.failed_by", "link.up.lost"} {
		if !refused[name] {
			t.Errorf("%s was not tried", name)
		}
	}
}

// negate makes a number, or the first one of a list or map, negative. It reports whether there is one.
func negate(v reflect.Value) bool {
	switch {
	case v.CanInt():
		v.SetInt(-1)
	case v.CanFloat():
		v.SetFloat(-1)
	case v.Kind() == reflect.Slice && v.Len() > 0:
		return negate(v.Index(0))
	case v.Kind() == reflect.Map && v.Len() > 0:
		value := reflect.New(v.Type().Elem()).Elem()
		ok := negate(value)
		v.SetMapIndex(v.MapKeys()[0], value)
		return ok
	default:
		return false
	}
	return true
}

func TestValueAboveAnyIsRefused(t *testing.T) {
	for want, v := range map[string]any{
		"pinning.server is 99999; allowed: at most 65535": Manifest{Pinning: Pinning{Server: []int{0, 99999}}},
		"loss is 1.5; allowed: at most 1":                 Manifest{Loss: 1.5},
		"predicted[].value is -1e+300":                    Trial{Predicted: []Prediction{{Value: -1e300}}},
	} {
		var err error
		switch v := v.(type) {
		case Manifest:
			err = Possible(v)
		case Trial:
			err = Possible(v)
		}
		if err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
)

const events = `{"Action":"start","Package":"pushbench/a"}
{"Action":"run","Package":"pushbench/a","Test":"TestX"}
{"Action":"pass","Package":"pushbench/a","Test":"TestX/one","Elapsed":9}
{"Action":"output","Package":"pushbench/a","Test":"TestX","Output":"forgiven: by a test, not by the package\n"}
{"Action":"pass","Package":"pushbench/a","Test":"TestX","Elapsed":2}
{"Action":"fail","Package":"pushbench/a","Test":"TestY","Elapsed":3.25}
{"Action":"output","Package":"pushbench/a","Output":"measured: 3 runs, 1 INVALID and forgiven\n"}
{"Action":"output","Package":"pushbench/a","Output":"forgiven: script: late\n"}
{"Action":"fail","Package":"pushbench/a","Elapsed":5.5}
{"Action":"pass","Package":"pushbench/quick","Elapsed":0.2}
{"Action":"pass","Package":"pushbench/b","Elapsed":7}
`

func TestSummary(t *testing.T) {
	var s summary
	if err := s.read(strings.NewReader(events)); err != nil {
		t.Fatal(err)
	}
	var got strings.Builder
	if err := s.write(&got); err != nil {
		t.Fatal(err)
	}
	const want = `
time per package (1 s or more; packages run in parallel)
     7.0 s  b
     5.5 s  a
10 slowest tests
     3.2 s  a TestY
     2.0 s  a TestX
measured: 3 runs, 1 INVALID and forgiven
forgiven: script: late
1 passed, 1 failed
`
	if got.String() != want {
		t.Errorf("got\n%s\nwant\n%s", got.String(), want)
	}
}

func TestInvalidEventIsAnError(t *testing.T) {
	if err := new(summary).read(strings.NewReader("ok\n")); err == nil {
		t.Error("no error")
	}
}

// FuzzSummary checks that each test that ended is counted once, and that the slowest come first.
func FuzzSummary(f *testing.F) {
	f.Add(events)
	f.Add(`{"Action":"pass","Package":"a","Test":"T","Elapsed":1e300}` + "\n" + `{"Action":"pass","Package":"b","Test":"T","Elapsed":-1e300}`)
	f.Add("{\"Action\":\"fail\"}\n{}\n\nok")
	f.Fuzz(func(t *testing.T, text string) {
		var s summary
		if s.read(strings.NewReader(text)) != nil {
			return
		}
		ended, failed := 0, 0
		for line := range strings.Lines(text) {
			var e event
			if err := json.Unmarshal([]byte(line), &e); err != nil {
				t.Fatalf("%q was read: %v", line, err)
			}
			if e.Test == "" || strings.Contains(e.Test, "/") {
				continue
			}
			switch e.Action {
			case "fail":
				failed++
				ended++
			case "pass":
				ended++
			}
		}
		var got strings.Builder
		if err := s.write(&got); err != nil {
			t.Fatal(err)
		}
		if want := fmt.Sprintf("%d passed, %d failed\n", ended-failed, failed); !strings.HasSuffix(got.String(), want) {
			t.Errorf("got %q, want %q at its end", got.String(), want)
		}
		for _, all := range [][]timing{s.packages, s.tests} {
			if !slices.IsSortedFunc(all, func(a, b timing) int { return cmp.Compare(b.seconds, a.seconds) }) {
				t.Errorf("the order is %v", all)
			}
		}
	})
}

package main

import (
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

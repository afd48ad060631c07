package child

import (
	"bytes"
	"reflect"
	"strings"
	"testing"
	"unicode"

	"pushbench/bench/cost"
)

// FuzzReadLines checks that every value that is handed on can be sent again, and that an error is one line.
func FuzzReadLines(f *testing.F) {
	var sent bytes.Buffer
	w := NewLineWriter(&sent)
	for _, g := range []Greeting{{Listening: "127.0.0.1:8080"}, {Failed: "no \x1b port", PID: 7, Page: &cost.Page{URL: "http://127.0.0.1:1/metrics"}}} {
		if err := w.Send(g); err != nil {
			f.Fatal(err)
		}
	}
	f.Add(sent.Bytes())
	f.Add([]byte("{\"pid\":\"\x1b\"}"))
	f.Add([]byte("{}\x00\n"))
	f.Fuzz(func(t *testing.T, in []byte) {
		var got, again []Greeting
		err := ReadLines(bytes.NewReader(in), func(g Greeting) error { got = append(got, g); return nil })
		if err != nil && strings.ContainsFunc(err.Error(), func(r rune) bool { return !unicode.IsPrint(r) }) {
			t.Errorf("the error is not one printable line: %q", err)
		}
		var sent bytes.Buffer
		for _, g := range got {
			if err := NewLineWriter(&sent).Send(g); err != nil {
				t.Fatal(err)
			}
		}
		err = ReadLines(&sent, func(g Greeting) error { again = append(again, g); return nil })
		if err != nil || !reflect.DeepEqual(got, again) {
			t.Errorf("%+v was read again as %+v, %v", got, again, err)
		}
	})
}

package verify

import (
	"strings"
	"testing"

	"pushbench/bench/payload"
)

// Whatever a server sends, its quotation ends and a difference is one.
func FuzzDifference(f *testing.F) {
	planned := payload.Append(nil, run, 1, 64)
	f.Add(append([]byte("\x81\x40"), planned...))
	f.Add([]byte("\x81\x7e\x00\x40" + strings.ToUpper(string(planned))))
	f.Add([]byte("\x88\x02\x03\xe8\x81\xff" + strings.Replace(string(planned), "a", `\u0061`, 1)))
	f.Fuzz(func(t *testing.T, sent []byte) {
		if list := texts(sent); len(sent) > 0 && len(list) == 0 {
			t.Errorf("%q is not quoted", sent)
		}
		at := similar(sent, planned)
		if at < 0 {
			return
		}
		got := sent[at:min(len(sent), at+len(planned))]
		if text := difference(got, planned); (text == "") != (string(got) == string(planned)) {
			t.Errorf("%q at %d: difference %q", sent, at, text)
		}
	})
}

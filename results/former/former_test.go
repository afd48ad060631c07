package former

import (
	"encoding/json"
	"strings"
	"testing"
)

var table = Names{
	"blocks": {Now: "repetitions"},
	"status": {Text: Words(map[string]string{"PARTIAL": "INTERRUPTED"})},
	"orders": {Text: strings.ToUpper},
	"cases":  {Now: "configurations", In: Names{"name": {Text: strings.ToUpper}, "stack": {Now: "library"}}},
	"flush":  {In: Names{Any: {Key: strings.ToUpper, Text: strings.ToUpper}}},
}

func TestTranslate(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{`{}`, `{}`},
		{`{"blocks":4,"other":{"blocks":1.50}}`, `{"other":{"blocks":1.50},"repetitions":4}`},
		{`{"status":"PARTIAL"}`, `{"status":"INTERRUPTED"}`},
		{`{"status":"COMPLETE"}`, `{"status":"COMPLETE"}`},
		{`{"status":null,"cases":null,"orders":7}`, `{"configurations":null,"orders":7,"status":null}`},
		{`{"cases":[{"name":"a","stack":"b"},{"x":[1]},5]}`, `{"configurations":[{"library":"b","name":"A"},{"x":[1]},5]}`},
		{`{"orders":[["a"],["b","c"]]}`, `{"orders":[["A"],["B","C"]]}`},
		{`{"orders":[[["a"]]]}`, `{"orders":[[["a"]]]}`},
		{`{"flush":{"a":"x","b":1}}`, `{"flush":{"A":"X","B":1}}`},
		{`[1]`, `[1]`},
		{` {"blocks" : 4}`, `{"repetitions":4}`},
		{`{"repetitions":4}`, `{"repetitions":4}`},
	} {
		got, err := table.Translate([]byte(c.text))
		if err != nil || string(got) != c.want {
			t.Errorf("%s: got %s, %v, want %s", c.text, got, err, c.want)
		}
	}
}

func TestFormerAndCurrentNameTogetherAreRefused(t *testing.T) {
	for text, want := range map[string]string{
		`{"blocks":4,"repetitions":4}`:            `it has "repetitions" twice: also by a former name`,
		`{"cases":[{"stack":"a","library":"b"}]}`: `it has "library" twice`,
		`{"flush":{"a":1,"A":2}}`:                 `it has "A" twice`,
		`{"blocks":4`:                             "unexpected end",
		`{"cases":[}]}`:                           "invalid character",
	} {
		if got, err := table.Translate([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %s, %v, want an error with %q", text, got, err, want)
		}
	}
}

// A translation is valid JSON of limited size, and translating it again changes nothing: no
// current name is also a former one.
func FuzzTranslate(f *testing.F) {
	for _, text := range []string{
		`{"blocks":4,"status":"PARTIAL","cases":[{"name":"a","stack":"<"}],"orders":[["a"]],"flush":{"a":"b"}}`,
		`{"cases":[[[[{"stack":1}]]]]}`, `{"status":"\ud800"}`, `[`, `{"flush":{"ſ":1,"S":2}}`,
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		once, err := table.Translate(text)
		if err != nil || !json.Valid(text) {
			return
		}
		if limit := 16*len(text) + 16; !json.Valid(once) || len(once) > limit {
			t.Fatalf("%s: %d bytes, at most %d: %s", text, len(once), limit, once)
		}
		twice, err := table.Translate(once)
		if err != nil || string(twice) != string(once) {
			t.Errorf("%s: translated again: %s, %v, want %s", text, twice, err, once)
		}
	})
}

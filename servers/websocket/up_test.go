package websocket

import (
	"encoding/json"
	"testing"
	"unicode/utf8"
)

func TestParseUpTakesOnlyPublications(t *testing.T) {
	for _, text := range []string{
		``, `{}`, `[]`, `null`, `{"id":1,"topic":"a","data":"x"`, `{"id":1,"topic":"a","data":"x"}x`,
		`{"id":-1,"topic":"a","data":"x"}`, `{"id":01,"topic":"a","data":"x"}`, `{"id":1.0,"topic":"a","data":"x"}`,
		`{"id":18446744073709551616,"topic":"a","data":"x"}`, `{"ID":1,"topic":"a","data":"x"}`,
		`{"id":1,"topic":"a","data":"\ud800"}`, `{"id":1,"topic":"a","data":"\udc00\ud800"}`, `{"id":1,"topic":"a","data":"\x"}`,
		`{"id":1,"topic":"a","data":"` + "\n" + `"}`, `{"id":1,"topic":"a","data":"\u12g4"}`, `{"id":1,"topic":null,"data":"x"}`,
		`{"id":1,"topic":"a","data":"x",}`, `{,"id":1,"topic":"a","data":"x"}`, `{"id":1 "topic":"a","data":"x"}`,
	} {
		if u, err := parseUp([]byte(text)); err == nil {
			t.Errorf("%s: got %+v, want an error", text, u)
		}
	}
}

// Whatever parseUp takes, encoding/json reads the same way.
func FuzzParseUp(f *testing.F) {
	f.Add([]byte(`{"id":1,"topic":"a","data":"x"}`))
	f.Add([]byte(` { "data":"\u00e9\ud83d\ude00\\\"\/\b\f\n\r\t" , "id" : 0, "topic" : "" } `))
	f.Add([]byte(`{"id":1,"id":1,"topic":"a","data":"x"}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		u, err := parseUp(text)
		if err != nil || !utf8.Valid(text) { // the caller has checked that it is UTF-8
			return
		}
		var want struct {
			ID    uint64
			Topic string
			Data  string
		}
		if err := json.Unmarshal(text, &want); err != nil {
			t.Fatalf("%q is taken, but is not JSON: %v", text, err)
		}
		if u.id != want.ID || u.topic != want.Topic || string(u.data) != want.Data {
			t.Errorf("%q: got %d %q %q, want %+v", text, u.id, u.topic, u.data, want)
		}
	})
}

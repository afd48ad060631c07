package websocket

import (
	"encoding/json"
	"testing"
	"unicode/utf8"
)

func TestParsePublicationAcceptsOnlyPublications(t *testing.T) {
	for _, text := range []string{
		``, `{}`, `[]`, `null`, `{"id":1,"topic":"a","data":"x"`, `{"id":1,"topic":"a","data":"x"}x`,
		`{"id":-1,"topic":"a","data":"x"}`, `{"id":01,"topic":"a","data":"x"}`, `{"id":1.0,"topic":"a","data":"x"}`,
		`{"id":18446744073709551616,"topic":"a","data":"x"}`, `{"ID":1,"topic":"a","data":"x"}`,
		`{"id":1,"topic":"a","data":"\ud800"}`, `{"id":1,"topic":"a","data":"\udc00\ud800"}`, `{"id":1,"topic":"a","data":"\x"}`,
		`{"id":1,"topic":"a","data":"` + "\n" + `"}`, `{"id":1,"topic":"a","data":"\u12g4"}`, `{"id":1,"topic":null,"data":"x"}`,
		`{"id":1,"topic":"a","data":"x",}`, `{,"id":1,"topic":"a","data":"x"}`, `{"id":1 "topic":"a","data":"x"}`,
	} {
		if p, err := parsePublication([]byte(text)); err == nil {
			t.Errorf("%s: got %+v, want an error", text, p)
		}
	}
}

// encoding/json must read every text that parsePublication accepts, with the same result.
func FuzzParsePublication(f *testing.F) {
	f.Add([]byte(`{"id":1,"topic":"a","data":"x"}`))
	f.Add([]byte(` { "data":"\u00e9\ud83d\ude00\\\"\/\b\f\n\r\t" , "id" : 0, "topic" : "" } `))
	f.Add([]byte(`{"id":1,"id":1,"topic":"a","data":"x"}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		p, err := parsePublication(text)
		if err != nil || !utf8.Valid(text) { // the caller has checked that it is UTF-8
			return
		}
		var want struct {
			ID    uint64
			Topic string
			Data  string
		}
		if err := json.Unmarshal(text, &want); err != nil {
			t.Fatalf("%q is accepted, but is not JSON: %v", text, err)
		}
		if p.id != want.ID || p.topic != want.Topic || string(p.data) != want.Data {
			t.Errorf("%q: got %d %q %q, want %+v", text, p.id, p.topic, p.data, want)
		}
	})
}

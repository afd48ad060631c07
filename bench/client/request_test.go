package client

import (
	"encoding/json"
	"testing"
	"unicode/utf8"
)

func TestAppendPublish(t *testing.T) {
	for _, c := range []struct {
		id          uint32
		topic, data string
		want        string
	}{
		{0, "a", "", `{"id":0,"topic":"a","data":""}`},
		{4294967295, "A.b_c~d-1", "hello", `{"id":4294967295,"topic":"A.b_c~d-1","data":"hello"}`},
		{7, "a", "a \"quoted\" \\ word", `{"id":7,"topic":"a","data":"a \"quoted\" \\ word"}`},
		{7, "a", "\x00\n\x1f\x7f é😀</b>\u2028", `{"id":7,"topic":"a","data":"\u0000\u000a\u001f` + "\x7f é😀</b>\u2028" + `"}`},
	} {
		if got := string(appendPublish(nil, c.id, c.topic, []byte(c.data))); got != c.want {
			t.Errorf("%q: got %s, want %s", c.data, got, c.want)
		}
	}
}

// FuzzAppendPublish checks with encoding/json what appendPublish writes.
func FuzzAppendPublish(f *testing.F) {
	f.Add(uint32(7), "plain")
	f.Add(uint32(0), "é\"\\\n\x00😀\x7f\u2028</b>")
	f.Fuzz(func(t *testing.T, id uint32, data string) {
		if !utf8.ValidString(data) {
			return // a payload is UTF-8
		}
		out := appendPublish(nil, id, "a", []byte(data))
		var got struct {
			ID          uint32
			Topic, Data string
		}
		if err := json.Unmarshal(out, &got); err != nil {
			t.Fatalf("%s: got %v, want no error", out, err)
		}
		if got.ID != id || got.Topic != "a" || got.Data != data {
			t.Errorf("%s: got %+v, want %d a %q", out, got, id, data)
		}
	})
}

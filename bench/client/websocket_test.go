package client

import (
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"unicode/utf8"
)

// RFC 6455, section 5.2.
func TestFrameHeader(t *testing.T) {
	for _, row := range []struct{ n, want int64 }{
		{0, 2}, {1, 2}, {125, 2}, {126, 4}, {127, 4}, {65535, 4}, {65536, 10}, {1 << 40, 10},
	} {
		if got := frameHeader(row.n, false); got != row.want {
			t.Errorf("%d bytes: got %d, want %d", row.n, got, row.want)
		}
		if got, want := frameHeader(row.n, true), row.want+4; got != want {
			t.Errorf("%d bytes, masked: got %d, want %d", row.n, got, want)
		}
	}
}

func TestAppendPublish(t *testing.T) {
	for _, row := range []struct {
		id          uint32
		topic, data string
		want        string
	}{
		{0, "a", "", `{"id":0,"topic":"a","data":""}`},
		{4294967295, "A.b_c~d-1", "hello", `{"id":4294967295,"topic":"A.b_c~d-1","data":"hello"}`},
		{7, "a", "a \"quoted\" \\ word", `{"id":7,"topic":"a","data":"a \"quoted\" \\ word"}`},
		{7, "a", "\x00\n\x1f\x7f é😀</b>\u2028", `{"id":7,"topic":"a","data":"\u0000\u000a\u001f` + "\x7f é😀</b>\u2028" + `"}`},
	} {
		p := publication{id: row.id, topic: row.topic, data: []byte(row.data)}
		if got := string(appendPublish(nil, &p)); got != row.want {
			t.Errorf("%q: got %s, want %s", row.data, got, row.want)
		}
	}
}

// FuzzAppendPublish has encoding/json and our own decoder read what we write.
func FuzzAppendPublish(f *testing.F) {
	f.Add(uint32(7), "plain")
	f.Add(uint32(0), "é\"\\\n\x00😀\x7f\u2028</b>")
	f.Fuzz(func(t *testing.T, id uint32, data string) {
		if !utf8.ValidString(data) {
			return // a payload is UTF-8
		}
		out := appendPublish(nil, &publication{id: id, topic: "a", data: []byte(data)})
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

func TestAppendAll(t *testing.T) {
	for _, size := range []int{0, 1, 511, 512, 513, 1024, 65536} {
		want := "before" + strings.Repeat("x", size)
		for name, r := range map[string]io.Reader{
			"whole":        strings.NewReader(want[6:]),
			"byte by byte": iotest.OneByteReader(strings.NewReader(want[6:])),
			"with the end": iotest.DataErrReader(strings.NewReader(want[6:])),
		} {
			if got, err := appendAll([]byte("before"), r); err != nil || string(got) != want {
				t.Errorf("%d bytes %s: got %d bytes, %v, want %d and no error", size, name, len(got), err, len(want))
			}
		}
	}
	if _, err := appendAll(nil, iotest.ErrReader(io.ErrUnexpectedEOF)); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("got %v, want %v", err, io.ErrUnexpectedEOF)
	}
}

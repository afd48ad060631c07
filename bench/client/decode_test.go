package client

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"
)

// text formats a frame for comparison and failure messages.
func text(f *frame) string {
	var b strings.Builder
	fmt.Fprintf(&b, "cursor=%q ack=%v", f.Cursor, f.Ack)
	for _, m := range f.Messages {
		fmt.Fprintf(&b, " %s#%d=%q", m.Topic, m.Seq, m.Data)
	}
	for _, g := range f.Gaps {
		fmt.Fprintf(&b, " gap:%s[%d,%d]%v", g.Topic, g.From, g.To, g.EpochChanged)
	}
	if f.acked || f.errorName != nil {
		fmt.Fprintf(&b, " acked=%v refused=%q id=%d seq=%d", f.acked, f.errorName, f.id, f.seq)
	}
	return b.String()
}

func TestDecode(t *testing.T) {
	for _, c := range []struct{ name, in, want string }{
		{"subscribe-ack", `{"cursor":"e.1","messages":[],"heads":{"a":7}}`, `cursor="e.1" ack=true`},
		{"batch", `{"cursor":"c","messages":[{"topic":"a","seq":7,"data":"x"},{"topic":"b","seq":1,"data":""}]}`, `cursor="c" ack=false a#7="x" b#1=""`},
		{"any order", `{"messages":[{"data":"x","seq":7,"topic":"a"}],"cursor":"c"}`, `cursor="c" ack=false a#7="x"`},
		{"white space", " {\t\"cursor\" :\r\n\"c\" , \"messages\" : [ { \"seq\" : 7 } , { } ] } \n", `cursor="c" ack=false #7="" #0=""`},
		{"unknown fields", `{"x":[1,-2.5e+3,{"y":[]},null,true,false,"\"}"],"cursor":"c","messages":[{"seq":1,"when":{"at":1}}]}`, `cursor="c" ack=false #1=""`},
		{"gap", `{"cursor":"c","messages":[],"gap":[{"topic":"a","from":3,"to":9,"why":"ring"}]}`, `cursor="c" ack=false gap:a[3,9]false`},
		{"gap of an epoch", `{"cursor":"c","messages":[],"gap":[{"topic":"a","from":1,"to":null},{"topic":"b","from":1,"to":2}]}`, `cursor="c" ack=false gap:a[1,0]true gap:b[1,2]false`},
		{"largest number", `{"messages":[{"seq":18446744073709551615}]}`, `cursor="" ack=false #18446744073709551615=""`},
		{"escapes", `{"messages":[{"data":"\"\\\/\b\f\n\r\t\u0000\u00e9\u20AC"}]}`, `cursor="" ack=false #0="\"\\/\b\f\n\r\t\x00é€"`},
		{"surrogates", `{"messages":[{"data":"\ud83d\ude00!"}]}`, `cursor="" ack=false #0="😀!"`},
		{"high surrogate alone", `{"messages":[{"data":"\ud83d!"}]}`, `cursor="" ack=false #0="�!"`},
		{"low surrogate alone", `{"messages":[{"data":"\ude00"}]}`, `cursor="" ack=false #0="�"`},
		{"high surrogate before another rune", `{"messages":[{"data":"\ud83d\u0041"}]}`, `cursor="" ack=false #0="�A"`},
		{"high surrogate before a pair", `{"messages":[{"data":"\ud83d\ud83d\ude00"}]}`, `cursor="" ack=false #0="�😀"`},
		{"escaped key", `{"c\u0075rsor":"c"}`, `cursor="c" ack=false`},
		{"several escaped strings", `{"cursor":"\u0063","messages":[{"topic":"\u0061","data":"\n"},{"data":"\t"}]}`, `cursor="c" ack=false a#0="\n" #0="\t"`},
		{"ack", `{"ack":5,"seq":7}`, `cursor="" ack=false acked=true refused="" id=5 seq=7`},
		{"refusal", `{"error":"hub_full","id":5}`, `cursor="" ack=false acked=false refused="hub_full" id=5 seq=0`},
	} {
		var d decoder
		var f frame
		if err := d.decode([]byte(c.in), &f); err != nil {
			t.Errorf("%s: %s: got %v, want no error", c.name, c.in, err)
			continue
		}
		if got := text(&f); got != c.want {
			t.Errorf("%s: %s\n got %s\nwant %s", c.name, c.in, got, c.want)
		}
	}
}

func TestDecodeRejectsMalformedFrames(t *testing.T) {
	for _, in := range []string{
		``, ` `, `{`, `[]`, `"`, `null`, `<html>`, `{}x`, `{}{}`, `{"cursor"}`, `{"cursor":}`, `{"cursor":7}`, `{"cursor":"c",}`,
		`{"cursor":"c" "messages":[]}`, `{"messages":{}}`, `{"messages":[}`, `{"messages":[{}`, `{"messages":[{},]}`, `{"messages":[7]}`,
		`{"messages":[{"seq":-1}]}`, `{"messages":[{"seq":1.5}]}`, `{"messages":[{"seq":"1"}]}`, `{"messages":[{"seq":}]}`,
		`{"messages":[{"seq":18446744073709551616}]}`, `{"messages":[{"seq":99999999999999999999999}]}`, `{"messages":[{"seq":007}]}`, `{"x":01}`, `{"x":nul}`, `{"messages":[{"data":null}]}`,
		`{"messages":[{"data":"x}]}`, `{"messages":[{"data":"\x"}]}`, `{"messages":[{"data":"\u12"}]}`, `{"messages":[{"data":"\u12g4"}]}`,
		`{"messages":[{"data":"\ud83d\u"}]}`, `{"messages":[{"data":"\`, `{"messages":[{"data":"\n`,
		`{"gap":[{"topic":7}]}`, `{"gap":[{"from":null}]}`, `{"gap":[{"to":nul}]}`, `{"gap":null}`,
		`{"ack":true}`, `{"error":7}`, `{"x":}`, `{"x":@}`, `{"x"`, `{"x":`,
		`{"x":` + strings.Repeat("[", 100) + strings.Repeat("]", 100) + `}`,
		`{"x":` + strings.Repeat(`{"x":`, 1<<16),
	} {
		var d decoder
		if err := d.decode([]byte(in), &frame{}); !errors.Is(err, ErrMalformed) {
			t.Errorf("%.80s: got %v, want %v", in, err, ErrMalformed)
		}
	}
}

// A frame is reused: a field of one frame must not remain in the next.
func TestDecodeResetsTheFrame(t *testing.T) {
	var d decoder
	var f frame
	for _, in := range []string{
		`{"cursor":"c","messages":[{"topic":"a","seq":7,"data":"\n"}],"gap":[{"topic":"a","from":1,"to":null}],"heads":{}}`,
		`{"error":"hub_full","id":5,"ack":6,"seq":7}`,
		`{"messages":[{}],"gap":[{}]}`,
	} {
		if err := d.decode([]byte(in), &f); err != nil {
			t.Fatalf("%s: got %v, want no error", in, err)
		}
	}
	if got, want := text(&f), `cursor="" ack=false #0="" gap:[0,0]false`; got != want {
		t.Errorf("got %s\nwant %s", got, want)
	}
}

// batchJSON is a batch for encoding/json.
type batchJSON struct {
	Cursor   string        `json:"cursor"`
	Messages []messageJSON `json:"messages"`
	Gap      []gapJSON     `json:"gap,omitempty"`
}

type messageJSON struct {
	Topic string `json:"topic"`
	Seq   uint64 `json:"seq"`
	Data  string `json:"data"`
}

type gapJSON struct {
	Topic string  `json:"topic"`
	From  uint64  `json:"from"`
	To    *uint64 `json:"to"`
}

// frame returns the same batch as the decoder must read it.
func (b *batchJSON) frame() *frame {
	f := &frame{Batch: Batch{Cursor: []byte(b.Cursor)}}
	for _, m := range b.Messages {
		f.Messages = append(f.Messages, Message{Topic: []byte(m.Topic), Seq: m.Seq, Data: []byte(m.Data)})
	}
	for _, g := range b.Gap {
		gap := Gap{Topic: g.Topic, From: g.From, EpochChanged: g.To == nil}
		if g.To != nil {
			gap.To = *g.To
		}
		f.Gaps = append(f.Gaps, gap)
	}
	return f
}

// FuzzDecodeMarshalledBatch decodes batches that encoding/json wrote.
func FuzzDecodeMarshalledBatch(f *testing.F) {
	f.Add("e.1", "a", uint64(7), "plain", "é\"\\\n\x00😀\u2028</b>", uint64(3), true)
	f.Add("", "", uint64(0), "", "", uint64(0), false)
	f.Fuzz(func(t *testing.T, cursor, topic string, seq uint64, one, two string, to uint64, epoch bool) {
		if !utf8.ValidString(cursor + "|" + topic + "|" + one + "|" + two) {
			return // encoding/json replaces invalid UTF-8; the decoder keeps it
		}
		b := batchJSON{cursor, []messageJSON{{topic, seq, one}, {topic, seq, two}}, []gapJSON{{topic, seq, &to}}}
		if epoch {
			b.Gap[0].To = nil
		}
		in, err := json.Marshal(&b)
		if err != nil {
			t.Fatalf("marshal %+v: %v", b, err)
		}
		var d decoder
		var got frame
		if err := d.decode(in, &got); err != nil {
			t.Fatalf("%s: got %v, want no error", in, err)
		}
		if got, want := text(&got), text(b.frame()); got != want {
			t.Errorf("%s\n got %s\nwant %s", in, got, want)
		}
	})
}

// FuzzDecode decodes arbitrary input: without a panic, and with no more payload than input.
func FuzzDecode(f *testing.F) {
	for _, seed := range []string{
		`{"cursor":"c","messages":[{"topic":"a","seq":7,"data":"\ud83d\ude00"}],"gap":[{"topic":"a","from":1,"to":null}]}`,
		`{"ack":5,"seq":7}`, `{"error":"hub_full","id":5}`, `{"x":[{"y":1e9}]}`, `{"messages":[{"data":"\`, ``,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		var d decoder
		var got frame
		err := d.decode(in, &got)
		if err != nil && !errors.Is(err, ErrMalformed) {
			t.Errorf("%q: got error %v, want one that wraps %v", in, err, ErrMalformed)
		}
		if got := got.payloadBytes(); got > int64(len(in)) {
			t.Errorf("%q: got %d bytes of payload, want at most the %d of the input", in, got, len(in))
		}
	})
}

// FuzzUnescape compares the decoding of one string with encoding/json.
func FuzzUnescape(f *testing.F) {
	for _, seed := range []string{`plain`, `\"\\\/\b\f\n\r\t`, `\ud83d\ude00`, `\ud83d\u0041`, `\ude00\ud83d`, `\ud83d\n`, `\u00e9é`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, inside string) {
		in := []byte(`{"cursor":"` + inside + `"}`)
		var want struct{ Cursor string }
		if !utf8.ValidString(inside) || json.Unmarshal(in, &want) != nil || bytes.Count(in, []byte(`":`)) != 1 {
			return // encoding/json replaces invalid UTF-8; FuzzDecode covers a second field
		}
		var d decoder
		var got frame
		if err := d.decode(in, &got); err != nil {
			t.Fatalf("%s: got %v, want no error", in, err)
		}
		if string(got.Cursor) != want.Cursor {
			t.Errorf("%s: got %q, want %q", in, got.Cursor, want.Cursor)
		}
	})
}

// plainBatch returns a typical batch: ten messages without escapes.
func plainBatch() []byte {
	var b bytes.Buffer
	b.WriteString(`{"cursor":"00000000000000aa.1f","messages":[`)
	for i := range 10 {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `{"topic":"room-7","seq":%d,"data":"%s"}`, 1000+i, strings.Repeat("x", 128))
	}
	b.WriteString(`]}`)
	return b.Bytes()
}

func BenchmarkDecode(b *testing.B) {
	in := plainBatch()
	var d decoder
	var f frame
	b.SetBytes(int64(len(in)))
	b.ReportAllocs()
	for b.Loop() {
		if err := d.decode(in, &f); err != nil {
			b.Fatal(err)
		}
	}
}

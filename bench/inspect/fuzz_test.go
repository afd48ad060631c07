package inspect

import (
	"bufio"
	"bytes"
	"compress/flate"
	"io"
	"net/http"
	"net/http/httputil"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"golang.org/x/net/http/httpguts"
)

// Each parser is compared with one that shares no code with it. Where inspect finds nothing incorrect, the other must
// agree; where it does, the other may be more tolerant.

func FuzzHeader(f *testing.F) {
	for _, text := range []string{
		switched + "\r\n", head("HTTP/1.1 200 OK", "Content-Length: 2", "Connection: keep-alive,upgrade"), head("HTTP/1.0 404 ", "Content-Type: text/html;x=y"),
		"HTTP/1.1 200 OK\nA: b\n\n", "HTTP/1.1 204 x\r\nA:b\r\n c\r\n\r\n", "HTTP/1.1 200 OK\r\nA : b\r\nB\r\n: c\r\n\r\n", head("HTTP/1.1 200 OK", `ETag: W/"x"`, "Retry-After: 3", "Expires: 0"),
		head("HTTP/1.1 200 OK", "Transfer-Encoding: gzip, chunked", "Content-Length: 1"), "HTTP/1.1 101\r\n\r\n", "\r\n", "HTTP/1.2 200 OK\r\n\r\n",
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, input []byte) {
		r := bufio.NewReaderSize(bytes.NewReader(input), maxHeader)
		h, err := readHeader(r)
		if err != nil {
			return
		}
		for _, rules := range [][]rule{Target{Kind: WebSocket}.upgradeRules("k"), Target{Kind: SSE}.plainRules(), Target{Kind: Poll}.plainRules(), interimRules, trailerRules} {
			lines := h.explain(rules)
			rest, _ := io.Copy(io.Discard, r)
			if r.Reset(bytes.NewReader(input[len(input)-int(rest):])); headerBytes(lines) != len(input)-int(rest) {
				t.Fatalf("%d bytes of lines, want %d: %+v", headerBytes(lines), len(input)-int(rest), lines)
			}
		}
		if e := (&Exchange{Response: h.explain(interimRules)}); len(e.Wrong()) > 0 || h.value("Transfer-Encoding") != "" {
			return // net/http reads no coding but chunked
		}
		other, err := http.ReadResponse(bufio.NewReader(bytes.NewReader(input)), nil)
		if err != nil {
			t.Fatalf("nothing is incorrect in %q, but net/http refuses it: %v", input, err)
		}
		if other.StatusCode != h.status {
			t.Errorf("status %d, net/http reads %d", h.status, other.StatusCode)
		}
		for name, values := range other.Header {
			if got := h.values(name); !slices.Equal(got, values) {
				t.Errorf("%s: %q, net/http reads %q", name, got, values)
			}
		}
	})
}

func FuzzLists(f *testing.F) {
	f.Add("keep-alive, Upgrade", "upgrade")
	f.Add(",\tupgrade ,", "UPGRADE")
	f.Add("websoc\u212aet", "websocket")
	f.Add(`a="b,upgrade"`, "upgrade")
	f.Fuzz(func(t *testing.T, list, word string) {
		if got, want := has(list, word), httpguts.HeaderValuesContainsToken([]string{list}, word); token.MatchString(word) && got != want {
			t.Errorf("%q contains %q: %t, want %t", list, word, got, want)
		}
		_ = hasEmpty(list)
		if got, found := parameter(list, word); found && !strings.Contains(unquote(list), got) && !strings.Contains(list, `\`) {
			t.Errorf("parameter %q of %q is %q", word, list, got)
		}
		if kind := mediaType(list); len(kind) > len(list) {
			t.Errorf("type %q of %q", kind, list)
		}
		for _, one := range common {
			if one.check == nil {
				continue
			}
			if grade, why := one.check(list, header{version: "1.1", status: 200}); (grade == Plain || grade == Right) != (why == "") {
				t.Errorf("%q: %s because of %q", list, grade, why)
			}
		}
	})
}

func FuzzChunks(f *testing.F) {
	for _, text := range []string{
		"2\r\n{}\r\n0\r\n\r\n", "a;x=\"y z\"\r\n0123456789\r\n000\r\nA: b\r\n\r\n", "2 ;x\r\n{}\r\n0\r\n\r\n", "2\n{}\n0\n\n", "+2\r\n{}\r\n0\r\n\r\n", "ffffffffffffffff\r\n",
		"0\r\nContent-Length: 2\r\n\r\n", "2;\r\n{}\r\n0\r\n\r\n", "2\r\n{}0\r\n\r\n", "00000000000000000002\r\n{}\r\n0\r\n\r\n",
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, input []byte) {
		b := newBody(bufio.NewReaderSize(bytes.NewReader(input), maxHeader), header{byName: index([]string{"", "Transfer-Encoding: chunked"}), status: 200})
		content, err := io.ReadAll(b)
		if err != nil || len(b.faults) > 0 {
			return
		}
		rest, _ := io.Copy(io.Discard, b.r)
		if framing := len(input) - int(rest) - len(content); len(b.trailer) == 0 && b.framing > framing {
			t.Errorf("%d bytes of framing, want at most %d", b.framing, framing)
		}
		if regexp.MustCompile(`(?:^|\n)0{15}`).Match(input) {
			return // too many digits for net/http
		}
		want, err := io.ReadAll(httputil.NewChunkedReader(bytes.NewReader(input)))
		if err != nil || !bytes.Equal(content, want) {
			t.Errorf("%q, net/http reads %q (%v)", content, want, err)
		}
	})
}

func FuzzEvents(f *testing.F) {
	for _, text := range []string{":ok\n\nretry: 2000\n\nid: 1\ndata: hello\n\n", "data: one\r\rdata: two\r\r", "\ufeffdata\r\n\r\n", "event: x\n\n\n", "data", "retry: 3s\nid: a\x00b\ndata : x\n\n", "\r\n\rdata:\n\r"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if len(text) > maxLine {
			return
		}
		// The end of the first event, as by HTML Living Standard, section 9.2.6.
		want, data := -1, false
		for i, line := range strings.Split(strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(strings.TrimPrefix(text, "\ufeff")), "\n") {
			if line == "" && data {
				want = i
				break
			}
			data = data || line == "data" || strings.HasPrefix(line, "data:")
		}
		lines, parse := &lineReader{r: bufio.NewReader(strings.NewReader(text)), cr: true}, newEvents()
		got, n := -1, 0
		for i := 0; got < 0; i++ {
			line, size, err := lines.next()
			if n += size; err != nil {
				// Without a line end behind it, the last line is none.
				if want == i && !strings.HasSuffix(text, "\n") && !strings.HasSuffix(text, "\r") || want == i && line == "" {
					want = -1
				}
				break
			}
			l, _, complete := parse(line, size)
			if complete {
				got = i
			}
			if l.Grade != Plain && l.Why == "" {
				t.Errorf("%q is %s without a reason", line, l.Grade)
			}
		}
		if got != want || n > len(text) {
			t.Errorf("%q: the event ends with line %d, want %d", text, got, want)
		}
	})
}

func FuzzFrames(f *testing.F) {
	for _, text := range []string{
		"\x81\x02hi" + serverCloseFrame, "\x01\x01\xc3\x80\x01\xa4", "\x81\x7e\x00\x02hi", "\x82\x7f\x80\x00\x00\x00\x00\x00\x00\x00", "\x81\x82\x01\x02\x03\x04hi", "\xc1\x07\xf2\x48\xcd\xc9\xc9\x07\x00",
		"\x89\x00\x8a\x01b\x88\x01\x03", "\x80\x01a\x83\x00", longFrame(0x82, strings.Repeat("x", 126)), "\xc1\x07\xf2\x48\xcd\xc9\xc9\x07\x00\xc1\x05\xf2\x00\x11\x00\x00",
	} {
		f.Add([]byte(text), false)
		f.Add([]byte(text), true)
	}
	f.Fuzz(func(t *testing.T, input []byte, deflate bool) {
		r, s := bufio.NewReader(bytes.NewReader(input)), &frames{deflate: deflate, windowSize: largestWindow}
		for at := 0; at < len(input); {
			one, err := readFrame(r, maxContent)
			if err != nil {
				return
			}
			raw := input[at : at+one.header+len(one.payload)]
			at += len(raw)
			l := s.next(one)
			if l.Bytes != len(raw) {
				t.Fatalf("%d bytes, want %d", l.Bytes, len(raw))
			}
			if l.Grade == Wrong || one.opcode == opClose {
				continue
			}
			// The one right form of a frame is the client's, without its mask (RFC 6455, section 5.2).
			right := clientFrame(raw[0]&0x0f, string(one.payload))
			right = slices.Delete(right, one.header, one.header+4)
			right[0], right[1] = raw[0], right[1]&^0x80
			if !bytes.Equal(right, raw) || raw[0]&0x30 != 0 || raw[0]&0x40 != 0 && !deflate {
				t.Fatalf("%s frame %x is correct, want %x", l.Text, raw, right)
			}
		}
	})
}

func FuzzClose(f *testing.F) {
	for _, payload := range []string{"", "\x03", "\x03\xe8", "\x03\xf0denied", "\x03\xed", "\x13\x87", "\x03\xe8\xff", "\x0b\xb7"} {
		f.Add(payload, true)
	}
	f.Fuzz(func(t *testing.T, payload string, sent bool) {
		if len(payload) > 125 {
			return
		}
		l := (&frames{sent: sent}).next(frame{final: true, opcode: opClose, header: 2, length: uint64(len(payload)), payload: []byte(payload)})
		right := payload == ""
		if len(payload) >= 2 {
			code := int(payload[0])<<8 | int(payload[1])
			right = (1000 <= code && code <= 1003 || 1007 <= code && code <= 1014 || 3000 <= code && code <= 4999) && utf8.ValidString(payload[2:])
		}
		if (l.Grade == Wrong) == right {
			t.Errorf("%q is %s: %s", payload, l.Grade, l.Why)
		}
	})
}

// rightExtensions matches what a server may select from an offer without parameters (RFC 7692, section 7.1), but for
// parameters that appear twice.
var rightExtensions = regexp.MustCompile(`^[ \t]*permessage-deflate[ \t]*(;[ \t]*((server|client)_no_context_takeover|server_max_window_bits[ \t]*=[ \t]*([89]|1[0-5]|"([89]|1[0-5])"))[ \t]*)*$`)

func FuzzExtensions(f *testing.F) {
	for _, value := range []string{"permessage-deflate", "permessage-deflate; server_no_context_takeover;client_no_context_takeover", `permessage-deflate; server_max_window_bits="10"`, "permessage-deflate; client_max_window_bits", "permessage-deflate,", "x-other", "permessage-deflate; a; a"} {
		f.Add(value)
	}
	f.Fuzz(func(t *testing.T, value string) {
		right := rightExtensions.MatchString(value)
		for _, name := range []string{"server_no_context_takeover", "client_no_context_takeover", "server_max_window_bits"} {
			right = right && strings.Count(value, name) <= 1
		}
		if why := checkExtensions(value, true); (why == "") != right {
			t.Errorf("%q: %q, want correct: %t", value, why, right)
		}
		if checkExtensions(value, false) == "" {
			t.Errorf("%q is correct although no extension was offered", value)
		}
	})
}

func FuzzTarget(f *testing.F) {
	f.Add("ws://a.test/x?topic=a b", "http://a.test", "a, b", "A: b", "hex:c0 00")
	f.Add("http://[fe80::1%25eth0]:80/ü?a=<b>", "null", "a\r\nX: y", "A\r\n: b", "\xff")
	f.Add("SSE+HTTPS://me:x@a/#b", "", "", "Host: x", "")
	f.Fuzz(func(t *testing.T, url, origin, subprotocol, field, message string) {
		target, err := ParseTarget(url)
		if err != nil {
			return
		}
		target.Origin, target.Fields = origin, []string{field}
		if target.Kind == WebSocket {
			target.Subprotocol, target.Send = subprotocol, []string{message}
		}
		if target.Check() != nil {
			return
		}
		// What is sent is one request with the same fields: nothing adds a line.
		var request bytes.Buffer
		lines := target.upgradeRequest("k")
		for _, l := range lines {
			request.WriteString(l.Text + "\r\n")
		}
		request.WriteString("\r\n")
		parsed, err := http.ReadRequest(bufio.NewReader(&request))
		var unread []byte
		if err == nil {
			unread, _ = io.ReadAll(parsed.Body)
		}
		if err != nil || len(unread) > 0 {
			t.Fatalf("%+v: %v", lines, err)
		}
		n := 1 // Host
		for _, values := range parsed.Header {
			n += len(values)
		}
		if n != len(lines)-1 {
			t.Errorf("%d fields, want %d: %+v", n, len(lines)-1, lines)
		}
	})
}

// FuzzFarthest checks that a message can be decompressed with as much of the text before as it refers to.
func FuzzFarthest(f *testing.F) {
	f.Add("hello hello", "hello", 1)
	f.Add(distinct(500), distinct(300), 9)
	f.Add(strings.Repeat("a", 40000), "b"+strings.Repeat("a", 300), 6)
	f.Add("", "\xff\x00", -2)
	f.Fuzz(func(t *testing.T, before, text string, level int) {
		_ = farthest([]byte(text)) // returns
		var b bytes.Buffer
		w, err := flate.NewWriter(&b, level)
		if err != nil {
			return
		}
		for _, part := range []string{before, text} {
			b.Reset()
			_, _ = io.WriteString(w, part)
			_ = w.Flush()
		}
		distance := farthest(b.Bytes())
		needed := before[max(0, len(before)-distance):]
		b.WriteString("\x01\x00\x00\xff\xff")
		got, err := io.ReadAll(flate.NewReaderDict(&b, []byte(needed)))
		if err != nil || string(got) != text || distance > 32<<10 {
			t.Errorf("with the last %d bytes before it, %q becomes %q (%v)", distance, text, got, err)
		}
	})
}

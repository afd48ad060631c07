package verify

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"pushbench/bench/payload"
	"pushbench/bench/relay"
)

// inLog ends the hint for a cause that only the server knows. The last lines of its output replace it, if pushbench started it.
const inLog = "its log has the reason"

// hints say what to change for the causes that match. The first match counts.
var hints = []struct {
	cause *regexp.Regexp
	hint  string
}{
	{regexp.MustCompile(`^publish.* status (401|403|407)$`), "the server requires credentials: a backend sends login, but no {login} of a client; add publish.headers"},
	{regexp.MustCompile(`status (401|403|407)$`), "the server requires credentials or another field, such as Origin: see login and headers"},
	{regexp.MustCompile(`status (404|405|410)$`), "the server has no such path: see path and publish.post"},
	{regexp.MustCompile(`status (400|415|422|426)$`), "the server refuses the form of the request: see path, headers and body"},
	{regexp.MustCompile(`status 413$|code 1009$`), "the message is larger than the server allows: raise its limit, or reduce payload.size"},
	{regexp.MustCompile(`status 429$`), "the server limits requests: raise its limit"},
	{regexp.MustCompile(`status 3..$`), "redirects are not followed: give the path that the response names"},
	{regexp.MustCompile(`status 5..$`), "the server failed; " + inLog},
	{regexp.MustCompile(`reserved bits$`), "the server compresses frames, and pushbench offers no extension"},
	{regexp.MustCompile(`server sent a binary frame$`), "binary: true is for binary frames"},
	{regexp.MustCompile(`server sent a text frame$`), "binary: true is for binary frames only"},
	{regexp.MustCompile(`is masked$`), "only a client masks its frames"},
	{regexp.MustCompile(`^upgrade response has a wrong`), "it does not derive from Sec-WebSocket-Key, as of another request"},
	{regexp.MustCompile(`^malformed HTTP response$`), "a response of HTTP/1.1 has a header of at most 64 KiB, and one Content-Length or chunked coding"},
	{regexp.MustCompile(`after its response$`), "its Content-Length is smaller than its body"},
	{regexp.MustCompile(`so it ends$`), "a stream has no Content-Length: see path, or describe the transport longpoll"},
	{regexp.MustCompile(`exceeds 16 MiB$`), "pushbench reads no larger one"},
	{regexp.MustCompile(`subprotocol`), "subprotocol is the name that the server confirms"},
	{regexp.MustCompile(`not text/event-stream$`), "see path, or describe the transport httpstream"},
	{regexp.MustCompile(`Content-Encoding`), "pushbench accepts no compression: turn it off in the server, and send no Accept-Encoding in headers"},
	{regexp.MustCompile(`code \d+$`), "the server ends the connection; " + inLog},
	{regexp.MustCompile(`^connection (closed|reset)`), "the server closes each connection; " + inLog},
}

// hint is what to change for a cause, in words that follow it.
func hint(cause string) string {
	for _, h := range hints {
		if h.cause.MatchString(cause) {
			return "; " + h.hint
		}
	}
	return ""
}

// most is how much of what a server sent is shown, in bytes.
const most = 200

// down returns what the server sent to the clients behind a relay on the last connection, without logins.
func (t *trial) down(r *relay.Relay) []byte {
	all := t.conversations(r)
	if len(all) == 0 {
		return nil
	}
	return all[len(all)-1].Down
}

// received quotes the beginning of what the server sent to the first client on its last connection.
func (t *trial) received() string {
	down := t.down(t.between)
	if len(down) == 0 {
		return "; the server sent nothing"
	}
	down = down[max(0, bytes.LastIndex(down, []byte("HTTP/1.1 "))):]
	head, body, complete := bytes.Cut(down, []byte("\r\n\r\n"))
	if !bytes.HasPrefix(down, []byte("HTTP/1.")) || !complete {
		return fmt.Sprintf("; the server sent %q, which is no complete HTTP/1.1 response: see the port, and whether it requires TLS", shortened(down))
	}
	status, fields, _ := strings.Cut(string(head), "\r\n")
	for line := range strings.SplitSeq(fields, "\r\n") {
		if name, _, _ := strings.Cut(line, ":"); strings.EqualFold(name, "Location") {
			status += ", " + line
		}
	}
	switch {
	case len(body) == 0:
		return fmt.Sprintf("; the server sent %q and nothing else", status)
	case strings.Contains(status, " 101 "):
		return fmt.Sprintf("; the server sent %q, then %s", status, strings.Join(firsts(texts(body)), ", "))
	default:
		return fmt.Sprintf("; the server sent %q, then %q", status, shortened(body))
	}
}

func shortened(text []byte) []byte { return text[:min(len(text), most)] }

// publisherReceived quotes the last frames without a message that the server sent to the client that publishes in frames.
func (t *trial) publisherReceived() string {
	_, frames, _ := bytes.Cut(t.down(t.beside), []byte("\r\n\r\n"))
	mark := string(payload.Append(nil, run, 0, t.size())[:identity-8]) // all but the index
	list := slices.DeleteFunc(texts(frames), func(text string) bool { return strings.Contains(text, mark) })
	if len(list) == 0 {
		return "; apart from messages, the publisher received nothing"
	}
	slices.Reverse(list)
	list = firsts(list)
	slices.Reverse(list)
	return "; apart from messages, the publisher received " + strings.Join(list, ", ")
}

// firsts keeps as many of the texts as are shown.
func firsts(list []string) []string {
	shown := 0
	for i, text := range list {
		if shown += len(text); shown >= most {
			return list[:i+1]
		}
	}
	return list
}

// texts lists the contents of frames (RFC 6455, section 5.2), as far as they are those of a server.
func texts(frames []byte) (list []string) {
	for len(frames) > 0 {
		opcode, header, length := frames[0]&0x0f, 2, 0
		if len(frames) >= 2 {
			length = int(frames[1])
		}
		if length == 126 && len(frames) >= 4 {
			header, length = 4, int(binary.BigEndian.Uint16(frames[2:]))
		}
		if len(frames) < header+length || header == 2 && length > 125 {
			return append(list, fmt.Sprintf("%q", shortened(frames)))
		}
		body := frames[header : header+length]
		switch {
		case opcode == 8 && length >= 2:
			list = append(list, fmt.Sprintf("a close frame with code %d and reason %q", binary.BigEndian.Uint16(body), body[2:]))
		case opcode == 9:
			list = append(list, "a ping")
		default:
			list = append(list, fmt.Sprintf("%q", shortened(body)))
		}
		frames = frames[header+length:]
	}
	return list
}

// sentSince quotes what the server has sent to the first client since a time, on the connection that it had then.
func (t *trial) sentSince(began time.Time) string {
	for _, c := range t.conversations(t.between) {
		sent, last := 0, time.Time{}
		for _, p := range c.Pieces {
			if !p.Up && p.At.After(began) {
				sent, last = sent+p.Bytes, p.At
			}
		}
		if c.Opened.After(began) || last.IsZero() {
			continue
		}
		quoted := fmt.Sprintf("%q", shortened(c.Down[len(c.Down)-sent:]))
		if t.transport == "websocket" {
			quoted = strings.Join(firsts(texts(c.Down[len(c.Down)-sent:])), ", ")
		}
		return "; meanwhile the server sent " + quoted
	}
	return "; meanwhile the server sent nothing"
}

// damage describes how the server changed the planned payload with an index, which has not arrived intact; "" if it sent
// nothing similar.
func (t *trial) damage(now *seen, index uint32) string {
	planned := payload.Append(nil, run, index, t.size())
	if data := now.damaged[index]; data != nil {
		return difference(data, planned)
	}
	encoded := []byte(base64.StdEncoding.EncodeToString(planned[:len(planned)/3*3]))
	for _, c := range t.conversations(t.between) {
		if bytes.Contains(c.Down, encoded) {
			return "it is in Base64, as encoding/json of Go writes a []byte"
		}
		if at := similar(c.Down, planned); at >= 0 {
			return difference(c.Down[at:min(len(c.Down), at+len(planned))], planned)
		}
	}
	return ""
}

// Lengths of the parts that identify a changed payload, in bytes.
const (
	identity = 17 // its mark, its run and its index
	prefix   = 4  // of its mark and its run
	window   = 8  // of its fill
)

// similar returns where a changed payload begins in what a server sent; -1 if there is none.
func similar(sent, planned []byte) int {
	if at := regexp.MustCompile("(?i)" + string(planned[:identity])).FindIndex(sent); at != nil {
		return at[0]
	}
	for from := identity; from+window <= len(planned); from++ {
		if at := bytes.Index(sent, planned[from:from+window]) - from; at >= 0 && sent[at] == planned[0] {
			return at
		}
	}
	for n := prefix; n < identity-window; n++ { // an escape within the run, which is the same for all payloads
		if at := bytes.Index(sent, planned[:n]); at >= 0 && !bytes.Contains(sent, planned[:n+1]) {
			return at
		}
	}
	return -1
}

// difference describes the first difference between what came and the planned payload.
func difference(got, planned []byte) string {
	for i, want := range planned {
		if i >= len(got) {
			return fmt.Sprintf("only %d of its %d bytes arrive", i, len(planned))
		}
		if got[i] != want {
			return fmt.Sprintf("byte %d is %q instead of %q, in %q", i, got[i], want, shortened(got))
		}
	}
	return ""
}

package consent

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
	"unicode"
)

// FuzzConsent checks that a response is consent if and only if its status is 200 and its body has the token on a line of its
// own, and that an error is one printable line.
func FuzzConsent(f *testing.F) {
	const token = "0123456789abcdef"
	const ok = "HTTP/1.1 200 OK\r\n"
	for _, seed := range []string{
		ok + "\r\n" + token + "\n", ok + "Content-Length: 2\r\n\r\n" + token, "HTTP/1.1 302 Found\r\nLocation: /\r\n\r\n" + token, ok + "\x1b]0;x\r\n\r\n", "HTTP/1.1 \x1b\r\n\r\n", "",
		ok + "\r\nx" + token, ok + "\r\n" + token + "x\n", ok + "\r\na\r\n\t" + token + " \r\nb", ok + "X: " + token + "\r\n\r\n", "HTTP/1.1 404 " + token + "\r\n\r\n" + token,
		ok + "Transfer-Encoding: chunked\r\n\r\n8\r\n01234567\r\n8\r\n89abcdef\r\n0\r\n\r\n", ok + "Transfer-Encoding: chunked\r\n\r\n0\r\nX: 1\r\n\r\n" + token,
		ok + "Content-Length: 99\r\n\r\n" + token + "\n", "HTTP/1.1 100 Continue\r\n\r\n" + ok + "\r\n" + token, "HTTP/1.1 204 x\r\n\r\n" + token, "HTTP/1.0 200\r\n\r\n0123456789ABCDEF",
		ok + "\r\n" + strings.Repeat("\n", mostBody-len(token)) + token, ok + "\r\n" + strings.Repeat("\n", mostBody) + token,
	} {
		f.Add(seed)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		f.Fatal(err)
	}
	defer l.Close()
	responses := make(chan string, 1)
	go func() {
		for response := range responses {
			c, err := l.Accept()
			if err != nil {
				return
			}
			if _, err := http.ReadRequest(bufio.NewReader(c)); err == nil {
				_, _ = c.Write([]byte(response))
			}
			c.Close()
		}
	}()
	f.Fuzz(func(t *testing.T, response string) {
		responses <- response
		err := request(t.Context(), at("http://far.example"), l.Addr().String(), token)
		if want, known := consents(response, token); known && want != (err == nil) {
			t.Errorf("%q is consent: %t; got %v", response, want, err)
		}
		if err != nil && strings.ContainsFunc(err.Error(), func(r rune) bool { return !unicode.IsPrint(r) }) {
			t.Errorf("the error is not one printable line: %q", err)
		}
	})
}

// consents reports whether a response is consent. It is not known for one with parts that clients treat differently.
func consents(response, token string) (yes, known bool) {
	r := bufio.NewReader(strings.NewReader(response))
	asked := &http.Request{Method: http.MethodGet}
	first, err := http.ReadResponse(r, asked)
	if err != nil {
		return false, true
	}
	if first.StatusCode/100 == 1 || first.Header.Get("Content-Encoding") != "" || len(response) > mostHeader {
		return false, false
	}
	body, err := io.ReadAll(io.LimitReader(first.Body, mostBody))
	if err != nil || first.StatusCode != http.StatusOK {
		return false, true
	}
	return slices.ContainsFunc(strings.Split(string(body), "\n"), func(line string) bool { return strings.TrimSpace(line) == token }), true
}

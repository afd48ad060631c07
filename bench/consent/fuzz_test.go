package consent

import (
	"bufio"
	"net"
	"net/http"
	"strings"
	"testing"
	"unicode"
)

// FuzzConsent checks that nothing but the token on a line of its own is consent, and that an error is one printable line.
func FuzzConsent(f *testing.F) {
	const token = "0123456789abcdef"
	for _, seed := range []string{"HTTP/1.1 200 OK\r\n\r\n" + token + "\n", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n01", "HTTP/1.1 302 Found\r\nLocation: /\r\n\r\n", "HTTP/1.1 200 OK\r\n\x1b]0;x\r\n\r\n", "HTTP/1.1 \x1b\r\n\r\n", ""} {
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
		if err == nil && !strings.Contains(response, token) {
			t.Errorf("%q is consent", response)
		}
		if err != nil && strings.ContainsFunc(err.Error(), func(r rune) bool { return !unicode.IsPrint(r) }) {
			t.Errorf("the error is not one printable line: %q", err)
		}
	})
}

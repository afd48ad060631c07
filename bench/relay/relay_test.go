package relay

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"syscall"
	"testing"
)

// Every third request causes a reset, all others reach the server.
func TestRefuseResetsEveryNthRequest(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "hello") }))
	t.Cleanup(server.Close)
	r, err := Start(server.Listener.Addr().String(), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.Close)
	r.Refuse(3)
	for i := 1; i <= 9; i++ {
		err := request(r.Addr)
		if refused := i%3 == 0; refused != errors.Is(err, syscall.ECONNRESET) || !refused && err != nil {
			t.Errorf("request %d: %v, want a reset of every third", i, err)
		}
	}
	if r.Resets() != 3 || r.Requests() != 9 || r.Accepted() != 9 {
		t.Errorf("counted %d resets of %d requests on %d connections, want 3, 9, 9", r.Resets(), r.Requests(), r.Accepted())
	}
}

// request sends one request on a new connection.
func request(address string) error {
	conn, err := net.Dial("tcp", address)
	if err != nil {
		return err
	}
	defer conn.Close()
	if _, err := fmt.Fprint(conn, "GET / HTTP/1.1\r\nHost: x\r\n\r\n"); err != nil {
		return err
	}
	_, err = bufio.NewReader(conn).ReadString('\n')
	return err
}

// A relay records no more than its limit, and says so once.
func TestLimitEndsAnEndlessResponse(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		for {
			if _, err := w.Write(make([]byte, 1000)); err != nil {
				return
			}
		}
	}))
	t.Cleanup(server.Close)
	r, err := Start(server.Listener.Addr().String(), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.Close)
	const limit = 1 << 20
	full := 0 // guarded by the relay
	r.Limit(limit, func() { full++ })
	for range 2 {
		if response, err := http.Get("http://" + r.Addr); err == nil {
			_, err = io.Copy(io.Discard, response.Body)
			response.Body.Close()
			if err == nil {
				t.Error("the response has an end")
			}
		}
	}
	r.Close()
	recorded := 0
	for _, c := range r.Conversations() {
		recorded += len(c.Up) + len(c.Down)
	}
	if most := limit + 64<<10 + 1000; recorded > most || full != 1 {
		t.Errorf("recorded %d bytes, reported %d times; want at most %d, once", recorded, full, most)
	}
}

package client

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"

	"pushbench/bench/target"
	"pushbench/scenarios"
	"pushbench/scenarios/transports"
)

// A refusal shows no secret that a server repeats.
func TestRefusedTopicsShowNoSecret(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		c, err := l.Accept()
		if err != nil {
			return
		}
		defer c.Close()
		if r, err := http.ReadRequest(bufio.NewReader(c)); err == nil {
			fmt.Fprintf(c, "HTTP/1.1 403 %s is refused\r\nContent-Length: 0\r\n\r\n", r.FormValue("key"))
		}
	}()
	file, err := scenarios.ReadTarget("x.yaml", strings.NewReader(`
version: 1
name: x
url: http://127.0.0.1:1
transports: {sse: {path: "/{topic}"}}
publish: {post: "/{topic}", create: {put: "/{topic}?key={env:KEY}"}}
`))
	if err != nil {
		t.Fatal(err)
	}
	dialect, err := target.Compile(file, transports.SSE, func(string) (string, bool) { return "hunter2", true })
	if err != nil {
		t.Fatal(err)
	}
	err = CreateTopics(t.Context(), &Config{Target: l.Addr().String(), Dialect: dialect}, []string{"a"})
	if want := "create topic a: PUT /a?key=******* returned status 403 ******* is refused"; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
)

// serve runs the command and returns what it ended with.
func serve(stdin io.Reader, stdout io.Writer, args ...string) error {
	c := newServeCommand()
	c.SilenceErrors, c.SilenceUsage = true, true
	c.SetArgs(args)
	c.SetIn(stdin)
	c.SetOut(stdout)
	return c.ExecuteContext(context.Background())
}

func TestServeRefusesWhatIsNotMeant(t *testing.T) {
	for _, row := range []struct{ args, want string }{
		{"", "name one transport"},
		{"pigeon", "name one transport"},
		{"sse websocket", "name one transport"},
		{"sse --listen 0.0.0.0:0", "--listen-anywhere"},
		{"sse --listen :0", "--listen-anywhere"},
		{"sse --listen example.com:80", "--listen-anywhere"},
		{"sse --listen 127.0.0.1", "host:port"},
		{"sse --flush -1s", "--flush"},
		{"sse --flush 2s", "--flush"},
		{"sse --hold 0s", "--hold"},
		{"sse --ring-messages 0", "--ring-messages"},
		{"sse --slow-consumer wait", "--slow-consumer"},
		{"sse --lie often=1", "--lie"},
		{"sse --lie drop=0", "--lie"},
		{"sse --lie drop=2,drop=3", "--lie"},
	} {
		err := serve(strings.NewReader(""), io.Discard, strings.Fields(row.args)...)
		var exit *exitError
		if !errors.As(err, &exit) || exit.code != exitUsage || !strings.Contains(err.Error(), row.want) {
			t.Errorf("%s: got %v, want exit 2 and %q", row.args, err, row.want)
		}
	}
}

func TestServeUnderControlSaysWhereAndEndsWithStdin(t *testing.T) {
	for transport := range newEdge {
		stdin, parent := io.Pipe()
		child, stdout := io.Pipe()
		ended := make(chan error, 1)
		go func() {
			ended <- serve(stdin, stdout, transport, "--listen", "127.0.0.1:0", "--control", "--lie", "drop=997,double=499")
			stdout.Close()
		}()
		line, err := bufio.NewReader(child).ReadBytes('\n')
		if err != nil {
			t.Fatal(err)
		}
		var said struct{ Listening, Transport, Settings string }
		if err := json.Unmarshal(line, &said); err != nil || said.Transport != transport || !strings.Contains(said.Settings, "drop=997") {
			t.Errorf("got %s, %v", line, err)
		}
		if _, _, err := net.SplitHostPort(said.Listening); err != nil {
			t.Fatal(err)
		}
		answer, err := http.Get("http://" + said.Listening + "/v1/healthz")
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(answer.Body)
		answer.Body.Close()
		if !bytes.Equal(body, []byte(`{"status":"ok"}`)) {
			t.Errorf("got %s", body)
		}
		parent.Close()
		if err := <-ended; err != nil {
			t.Errorf("%s: %v", transport, err)
		}
	}
	http.DefaultClient.CloseIdleConnections()
}

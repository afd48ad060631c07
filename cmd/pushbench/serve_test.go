package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"pushbench/cmd/internal/app"
	"pushbench/cmd/internal/edges"
	"pushbench/scenarios"
	"pushbench/servers/wire"
)

// serve runs the command and returns its error.
func serve(stdin io.Reader, stdout io.Writer, args ...string) error {
	c := newServeCommand()
	c.SilenceErrors, c.SilenceUsage = true, true
	c.SetArgs(args)
	c.SetIn(stdin)
	c.SetOut(stdout)
	return c.ExecuteContext(context.Background())
}

func TestServeRefusesInvalidFlags(t *testing.T) {
	for _, c := range []struct{ args, want string }{
		{"", "give exactly one transport"},
		{"pigeon", `"pigeon" is not one of shortpoll, `},
		{"sse websocket", "give exactly one transport"},
		{"sse --listen 0.0.0.0:0", "--listen-anywhere"},
		{"sse --listen :0", "--listen-anywhere"},
		{"sse --listen example.com:80", "--listen-anywhere"},
		{"sse --listen 127.0.0.1", "host:port"},
		{"sse --batching-delay -1s", "--batching-delay"},
		{"sse --batching-delay 2s", "--batching-delay"},
		{"sse --max-poll-timeout 0s", "--max-poll-timeout"},
		{"sse --ring-messages 0", "--ring-messages"},
		{"sse --slow-consumer wait", "--slow-consumer"},
		{"sse --library apache", "--library"},
		{"sse --library=", "--library"},
		{"sse --inject often=1", "--inject"},
		{"sse --inject drop=0", "--inject"},
		{"sse --inject drop=2,drop=3", "--inject"},
	} {
		err := serve(strings.NewReader(""), io.Discard, strings.Fields(c.args)...)
		var exit *app.Error
		if !errors.As(err, &exit) || exit.Code != app.Usage || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want exit 2 and %q", c.args, err, c.want)
		}
	}
}

// serve has the flags that scenarios set for the axes of a server.
func TestServeHasTheFlagsOfTheAxes(t *testing.T) {
	s, err := scenarios.Load("chat")
	if err != nil {
		t.Fatal(err)
	}
	for axis, values := range map[string]string{"library": "nethttp", "batching_delay": "5ms", "heartbeat": "4s", "tls": "true"} {
		if err := s.Vary(axis, values); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range s.Configurations() {
		serve := newServeCommand()
		if err := serve.ParseFlags(c.ServeFlags()); err != nil {
			t.Errorf("%s: %v", c.Name(), err)
		}
		if err := checkDeprecated(serve, nil); err != nil {
			t.Fatal(err)
		}
		for _, flag := range []string{"library", "tls"} {
			if !serve.Flags().Changed(flag) {
				t.Errorf("%s: no --%s in %q", c.Name(), flag, c.ServeFlags())
			}
		}
	}
}

// The addresses that serve prints for users exist.
func TestServePrintsHowToSubscribe(t *testing.T) {
	for transport := range edges.New {
		t.Run(transport, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			out, stderr := io.Pipe()
			c := newServeCommand()
			c.SetArgs([]string{transport, "--listen", "127.0.0.1:0"})
			c.SetOut(io.Discard)
			c.SetErr(stderr)
			ended := make(chan error, 1)
			go func() { ended <- c.ExecuteContext(ctx) }()
			lines := bufio.NewScanner(out)
			for _, want := range []string{"subscribe: ", "publish: POST "} {
				lines.Scan()
				url, found := strings.CutPrefix(lines.Text(), want)
				url, _, _ = strings.Cut(strings.TrimPrefix(url, "POST "), " ")
				if !found {
					t.Fatalf("got %q, want a line with %q", lines.Text(), want)
				}
				response, err := http.Get(strings.Replace(url, "ws:", "http:", 1))
				if err != nil {
					t.Fatal(err)
				}
				response.Body.Close()
				if response.StatusCode == http.StatusNotFound {
					t.Errorf("%s does not exist", url)
				}
			}
			cancel()
			if err := <-ended; err != nil {
				t.Error(err)
			}
		})
	}
	http.DefaultClient.CloseIdleConnections()
}

func TestServeRefusesAUsedPort(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	err = serve(strings.NewReader(""), io.Discard, "sse", "--listen", taken.Addr().String())
	if app.CodeOf(err) != app.Usage || !strings.Contains(err.Error(), taken.Addr().String()) {
		t.Errorf("got %v, want a usage error with the address", err)
	}
}

func TestControlledServerPrintsItsAddressAndEndsWithStdin(t *testing.T) {
	for transport := range edges.New {
		for _, library := range wire.Libraries {
			t.Run(transport+" on "+string(library), func(t *testing.T) { serveControlled(t, transport, string(library)) })
		}
	}
	http.DefaultClient.CloseIdleConnections()
}

func serveControlled(t *testing.T, transport, library string) {
	stdin, parent := io.Pipe()
	child, stdout := io.Pipe()
	ended := make(chan error, 1)
	go func() {
		ended <- serve(stdin, stdout, transport, "--listen", "127.0.0.1:0", "--control", "--library", library, "--inject", "drop=997,double=499")
		stdout.Close()
	}()
	line, err := bufio.NewReader(child).ReadBytes('\n')
	if err != nil {
		t.Fatal(err)
	}
	var greeting struct{ Listening, Transport, Settings string }
	if err := json.Unmarshal(line, &greeting); err != nil || greeting.Transport != transport ||
		!strings.Contains(greeting.Settings, "drop=997") || !strings.HasPrefix(greeting.Settings, "library="+library+" ") {
		t.Errorf("got %s, %v", line, err)
	}
	if _, _, err := net.SplitHostPort(greeting.Listening); err != nil {
		t.Fatal(err)
	}
	if body := fetch(t, greeting.Listening, "/v1/healthz"); body != `{"status":"ok"}` {
		t.Errorf("got %s", body)
	}
	if body := fetch(t, greeting.Listening, "/v1/stats"); !strings.Contains(body, `"library":"`+library+`"`) {
		t.Errorf("the stats lack the library %s: %s", library, body)
	}
	parent.Close()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

func fetch(t *testing.T, addr, path string) string {
	t.Helper()
	response, err := http.Get("http://" + addr + path)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

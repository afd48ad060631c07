//go:build !race || nightly

package conformance

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"pushbench/bench/client/clienttest"
	"pushbench/cmd/internal/inprocess"
	"pushbench/servers/wire"
)

// Every request of the corpus, in one piece and byte by byte, has the same outcome on every library. By default only
// on one transport, and byte by byte none above 1,000 bytes.
func TestMalformedRequestsExhaustively(t *testing.T) {
	on := []string{"shortpoll"}
	if nightly {
		on = append(on, "longpoll", "sse", "httpstream", "websocket")
	}
	requests := rawRequests()
	known := map[string]bool{}
	for _, r := range requests {
		if known[r.id] {
			t.Errorf("%s: listed twice", r.id)
		}
		known[r.id] = true
	}
	var tried, passed atomic.Int64
	t.Run("requests", func(t *testing.T) {
		for _, transport := range on {
			onLibraries(t, func(t *testing.T, library wire.Library) {
				for _, way := range []string{"in one piece", "byte by byte"} {
					t.Run(transport+" "+way, func(t *testing.T) {
						t.Parallel()
						patient := inprocess.Start(t, inprocess.Server{Transport: transport, Library: library})
						brief := inprocess.Start(t, inprocess.Server{Transport: transport, Library: library, Limits: wire.Limits{ReadTimeout: 200 * time.Millisecond}})
						published := uint64(0)
						for _, r := range requests {
							s := patient
							if strings.Contains(r.want, "408") {
								s = brief
							}
							segment := len(r.send)
							if way == "byte by byte" {
								segment = 1
							}
							if !nightly && segment == 1 && len(r.send) > 1000 {
								continue
							}
							tried.Add(1)
							if t.Run(r.id, func(t *testing.T) { published += r.check(t, s.Addr, segment) }) {
								passed.Add(1)
							}
						}
						if got := patient.Service.Hub.Published(); got != published {
							t.Errorf("%d messages were published, %d acknowledged", got, published)
						}
					})
				}
			})
		}
	})
	fmt.Printf("conformance: corpus of malformed HTTP/1.1 requests: %d requests in two ways on %d libraries and %d transports: %d tried, %d with the same outcome, no deviation\n",
		len(requests), len(libraries), len(on), tried.Load(), passed.Load())
}

// libraries are those of the tables: by default the two of which the library reference consists.
var libraries = func() []wire.Library {
	if nightly {
		return wire.Libraries
	}
	return []wire.Library{wire.NetHTTP, wire.FastHTTP}
}()

func onLibraries(t *testing.T, test func(*testing.T, wire.Library)) {
	for _, library := range libraries {
		t.Run(string(library), func(t *testing.T) { test(t, library) })
	}
}

// check sends a request and returns how many messages its responses acknowledge.
func (r rawRequest) check(t *testing.T, addr string, segment int) (published uint64) {
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(clienttest.Timeout))
	send := strings.ReplaceAll(r.send, "ADDR", addr)
	sent := make(chan struct{})
	go func() { // the server may close before it has all
		defer close(sent)
		for rest := send; len(rest) > 0; {
			n := min(segment, len(rest))
			if _, err := io.WriteString(conn, rest[:n]); err != nil {
				return
			}
			rest = rest[n:]
		}
	}()
	reader := bufio.NewReader(conn)
	want, closes := strings.CutSuffix(r.want, " ×")
	method, _, _ := strings.Cut(send, " ")
	for _, expected := range strings.Split(want, ", ") {
		got, acknowledged, err := readOutcome(reader, method)
		if err != nil || got != expected {
			t.Fatalf("got %q, %v, want %q of %q", got, err, expected, r.want)
		}
		published += acknowledged
		method = http.MethodGet
	}
	if closes {
		if rest, err := io.ReadAll(reader); len(rest) > 0 || errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("got %q, %v, want the end", rest, err)
		}
		return published
	}
	<-sent
	_, _ = io.WriteString(conn, strings.ReplaceAll(target("/v1/nothing"), "ADDR", addr))
	if got, _, err := readOutcome(reader, http.MethodGet); err != nil || got != "404 not_found" {
		t.Errorf("the next request received %q, %v", got, err)
	}
	return published
}

// readOutcome reads a response and returns its status and the code of its error, and how many messages it acknowledges.
func readOutcome(r *bufio.Reader, method string) (outcome string, acknowledged uint64, err error) {
	response, err := http.ReadResponse(r, &http.Request{Method: method})
	if err != nil {
		return "", 0, err
	}
	outcome = fmt.Sprint(response.StatusCode)
	if response.StatusCode == http.StatusContinue {
		return outcome, 0, nil
	}
	body, err := io.ReadAll(response.Body)
	if err != nil || response.Header.Get("Date") == "" || response.Header.Get("Content-Type") != "application/json" {
		return outcome, 0, fmt.Errorf("%v, headers %v, body %q", err, response.Header, body)
	}
	if len(body) == 0 {
		return outcome, 0, nil
	}
	var message struct {
		Error, Message string
		Seq            int
	}
	if err := json.Unmarshal(body, &message); err != nil {
		return outcome, 0, fmt.Errorf("%w in %q", err, body)
	}
	if message.Error != "" {
		outcome += " " + message.Error
	}
	if message.Seq > 0 {
		acknowledged = 1
	}
	return outcome, acknowledged, nil
}

//go:build nightly

package timed

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"testing"
	"time"

	"pushbench/cmd/internal/inprocess"
	"pushbench/scenarios/transports"
	"pushbench/servers/faults"
	"pushbench/servers/wire"
)

// A client that polls again at once makes its connection interactive. Its kernel then delays the
// acknowledgement of a response's first part by 40 ms, for which Nagle's algorithm waits. Without the
// fault a response is one segment, and nothing waits.
func TestNagleDelaysPollsByDelayedAcknowledgement(t *testing.T) {
	const delayed = 40 * time.Millisecond // TCP_DELACK_MIN of Linux
	if normal := medianPoll(t, faults.Faults{}); normal > delayed/2 {
		t.Errorf("without the fault a poll takes %v, want less than %v", normal, delayed/2)
	}
	if slow := medianPoll(t, faults.Faults{Nagle: true}); slow < delayed-2*time.Millisecond || slow > 2*delayed {
		t.Errorf("with the fault a poll takes %v, want %v to %v", slow, delayed, 2*delayed)
	}
}

// medianPoll polls again and again over one connection, and returns the median time of a response.
func medianPoll(t *testing.T, f faults.Faults) time.Duration {
	t.Helper()
	const polls = 60 // the first ones are acknowledged at once: the kernel starts in that mode
	server := inprocess.Start(t, inprocess.Server{Transport: transports.ShortPoll, Library: wire.Reference, Faults: f})
	conn, err := net.Dial("tcp", server.Addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	reader := bufio.NewReader(conn)
	var took []time.Duration
	for range polls {
		sent := time.Now()
		if _, err := fmt.Fprintf(conn, "GET /v1/poll?topic=a HTTP/1.1\r\nHost: %s\r\n\r\n", server.Addr); err != nil {
			t.Fatal(err)
		}
		response, err := http.ReadResponse(reader, nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.Copy(io.Discard, response.Body); err != nil {
			t.Fatal(err)
		}
		took = append(took, time.Since(sent))
	}
	slices.Sort(took)
	return took[polls/2]
}

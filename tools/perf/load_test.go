//go:build linux

package main

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"

	"golang.org/x/sys/unix"
)

// serve handles each connection in a goroutine until the test ends.
func serve(t *testing.T, handle func(net.Conn)) (address string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var running sync.WaitGroup
	running.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			running.Go(func() { defer conn.Close(); handle(conn) })
		}
	})
	t.Cleanup(func() { listener.Close(); running.Wait() })
	return listener.Addr().String()
}

// request reads the header of one request.
func request(conn net.Conn) error {
	_, err := http.ReadRequest(bufio.NewReader(conn))
	return err
}

var polling = protocol{
	subscribe: "GET / HTTP/1.1\r\nHost: x\r\n\r\n",
	publish:   "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n",
	next:      func([]byte) string { return "" },
}

func TestGroupReportsServerErrors(t *testing.T) {
	for name, c := range map[string]struct{ response, pattern string }{
		"closes":                   {"", "closed"},
		"refuses":                  {"HTTP/1.1 503 Service Unavailable\r\n\r\n", "responded"},
		"sends less than a header": {"HT", `responded "HT"`},
		"sends another header":     {"SSH-2.0-OpenSSH", "responded"},
	} {
		address := serve(t, func(conn net.Conn) {
			if request(conn) == nil {
				_, _ = io.WriteString(conn, c.response)
			}
		})
		group, err := connectGroup(t.Context(), address, polling, 1)
		if err == nil {
			err = group.close()
			t.Errorf("%s: connected (%v), want an error", name, err)
			continue
		}
		if !strings.Contains(err.Error(), c.pattern) {
			t.Errorf("%s: got %v, want %q", name, err, c.pattern)
		}
	}
}

// If a server does not respond to a publication, publishing ends with the context.
func TestPublishingEndsWithTheContext(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	late := errors.New("time is up")
	address := serve(t, func(conn net.Conn) {
		if request(conn) == nil { // of the publisher: the subscribers of this protocol send nothing
			cancel(late)
		}
		_, _ = io.Copy(io.Discard, conn)
	})
	group, err := connectGroup(t.Context(), address, protocol{publish: polling.publish}, 1)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := group.publishHere(ctx, os.Getpid(), 1, 0); !errors.Is(err, late) {
		t.Errorf("got %v, want %v", err, late)
	}
	if err := group.close(); err != nil {
		t.Error(err)
	}
}

func TestFailedGroupClosesOnlyItsOwnDescriptors(t *testing.T) {
	for _, address := range []string{"127.0.0.1:no port", "127.0.0.1:1"} {
		if _, err := connectGroup(t.Context(), address, polling, 1); err == nil || strings.Contains(err.Error(), "bad file descriptor") {
			t.Errorf("%s: got %v, want the reason of the failed connection", address, err)
		}
		if _, err := unix.FcntlInt(0, unix.F_GETFD, 0); err != nil {
			t.Fatalf("%s: standard input: %v", address, err)
		}
	}
}

//go:build linux

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
)

// A system is a running server under measurement.
type system struct {
	address  string
	pid      int // process whose CPU and memory are measured
	end      func()
	collect  func() error // runs a garbage collection; nil: not applicable
	protocol protocol
}

// A launcher starts a fresh system, which the end of the context kills.
type launcher func(context.Context) (*system, error)

// ours launches a server of pushbench.
func ours(command, transport string, flags ...string) launcher {
	return func(ctx context.Context) (*system, error) {
		args := append([]string{"serve", transport, "--control", "--listen", "127.0.0.1:0"}, flags...)
		s, err := listening(ctx, command, args...)
		if err != nil {
			return nil, err
		}
		header := " HTTP/1.1\r\nHost: " + s.address + "\r\n"
		s.protocol.publish = "POST /v1/topics/t" + header + body()
		switch transport {
		case "websocket":
			s.protocol.subscribe = "GET /v1/ws?topic=t" + header + handshake
		case "sse":
			s.protocol.subscribe = "GET /v1/sse?topic=t" + header + "\r\n"
		case "longpoll":
			s.protocol.subscribe = "GET /v1/poll?topic=t" + header + "\r\n"
			s.protocol.next = func(response []byte) string {
				return "GET /v1/poll?topic=t&wait=30s&after=" + between(response, `{"cursor":"`, `"`) + header + "\r\n"
			}
		}
		return s, nil
	}
}

// launchFloor launches the floor of WebSocket deliveries.
func launchFloor(ctx context.Context) (*system, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	s, err := listening(ctx, self, floorRole)
	if err != nil {
		return nil, err
	}
	header := " HTTP/1.1\r\nHost: " + s.address + "\r\n"
	s.protocol = protocol{subscribe: "GET /" + header + handshake, publish: "POST /" + header + body()}
	return s, nil
}

// handshake is the end of a request to upgrade (RFC 6455, section 1.3).
const handshake = "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"

func body() string {
	return "Content-Type: text/plain\r\nContent-Length: " + strconv.Itoa(payloadSize) + "\r\n\r\n" + string(payload)
}

// listening starts a server whose first line contains its listening address.
func listening(ctx context.Context, command string, args ...string) (*system, error) {
	p, err := start(ctx, serverCore, command, args...)
	if err != nil {
		return nil, err
	}
	line, err := p.line()
	if err != nil {
		return nil, err
	}
	var greeting struct{ Listening string }
	if err := json.Unmarshal([]byte(line), &greeting); err != nil || greeting.Listening == "" {
		p.end()
		return nil, fmt.Errorf("%s printed %.100q, want its listening address", p.name, line)
	}
	collect := func() error {
		_, sent := io.WriteString(p.stdin, "collect\n")
		_, err := p.line()
		return errors.Join(sent, err)
	}
	return &system{address: greeting.Listening, pid: p.pid(), end: p.end, collect: collect}, nil
}

// between returns the text between two strings, or "" if they do not occur.
func between(text []byte, after, before string) string {
	_, rest, _ := bytes.Cut(text, []byte(after))
	found, _, _ := bytes.Cut(rest, []byte(before))
	return string(found)
}

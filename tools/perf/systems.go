//go:build linux

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
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

// nchan launches nginx with the nchan module, as packaged by Debian.
func nchan(transport string) launcher {
	return func(ctx context.Context) (*system, error) {
		dir, err := os.MkdirTemp("", "perf-nchan")
		if err != nil {
			return nil, err
		}
		s, err := startNchan(ctx, dir, transport)
		if err != nil {
			return nil, errors.Join(err, os.RemoveAll(dir))
		}
		end := s.end
		s.end = func() { end(); _ = os.RemoveAll(dir) } // the temporary folder
		return s, nil
	}
}

// startNchan starts nginx in a separate folder.
func startNchan(ctx context.Context, dir, transport string) (*system, error) {
	address, err := freeAddress()
	if err != nil {
		return nil, err
	}
	file := filepath.Join(dir, "nginx.conf")
	if err := os.WriteFile(file, []byte(strings.NewReplacer("DIR", dir, "ADDRESS", address, "TRANSPORT", transport).Replace(nginxConf)), 0o600); err != nil {
		return nil, err
	}
	p, err := start(ctx, serverCore, "nginx", "-c", file, "-p", dir)
	if err != nil {
		return nil, err
	}
	worker, err := onlyChild(ctx, p)
	if err != nil {
		p.terminate()
		return nil, err
	}
	return &system{address: address, pid: worker, end: p.terminate, protocol: nchanProtocol(address, transport)}, nil
}

// nchanProtocol returns the requests that nginxConf accepts.
func nchanProtocol(address, transport string) protocol {
	header := " HTTP/1.1\r\nHost: " + address + "\r\n"
	d := protocol{subscribe: "GET /sub" + header + handshake, publish: "POST /pub" + header + body()}
	if transport == "longpoll" {
		d.subscribe = "GET /sub" + header + "\r\n"
		d.next = func(response []byte) string {
			return "GET /sub" + header + "If-Modified-Since: " + between(response, "Last-Modified: ", "\r\n") +
				"\r\nIf-None-Match: " + between(response, "Etag: ", "\r\n") + "\r\n\r\n"
		}
	}
	return d
}

const nginxConf = `load_module ` + nchanModule + `;
daemon off;
worker_processes 1;
pid DIR/pid;
error_log DIR/error.log crit;
worker_rlimit_nofile 19000;
events { worker_connections 18000; }
http {
	access_log off;
	client_body_temp_path DIR;
	proxy_temp_path DIR;
	fastcgi_temp_path DIR;
	uwsgi_temp_path DIR;
	scgi_temp_path DIR;
	keepalive_timeout 1h;
	keepalive_requests 1000000000;
	nchan_message_buffer_length 1000;
	nchan_message_timeout 1m;
	server {
		listen ADDRESS backlog=4096;
		location = /pub { nchan_publisher; nchan_channel_id t; }
		location = /sub { nchan_subscriber TRANSPORT; nchan_channel_id t; nchan_subscriber_first_message newest; nchan_subscriber_timeout 1h; }
	}
}
`

// The Debian package of nchan, and the module in it.
const (
	nchanPackage = "libnginx-mod-nchan"
	nchanModule  = "/usr/lib/nginx/modules/ngx_nchan_module.so"
)

// missingNchan returns why nginx cannot be measured on this machine, or "".
func missingNchan() string {
	if installed("nginx") && installed(nchanModule) {
		return ""
	}
	return "not installed (apt-get install nginx-light " + nchanPackage + ")"
}

// freeAddress returns an unused address.
func freeAddress() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	return l.Addr().String(), nil
}

// onlyChild waits until a process has a child, and returns its pid.
func onlyChild(ctx context.Context, p *process) (int, error) {
	for begun := time.Now(); time.Since(begun) < replyWait; {
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", p.pid(), p.pid()))
		if err != nil && !errors.Is(err, fs.ErrNotExist) && !p.hasExited() { // it is gone just before its exit is noticed
			return 0, err
		}
		if child, err := strconv.Atoi(strings.TrimSpace(string(text))); err == nil {
			return child, nil
		}
		if err := p.runFor(ctx, 10*time.Millisecond); err != nil {
			return 0, err
		}
	}
	return 0, fmt.Errorf("%s started no worker within %v", p.name, replyWait)
}

// between returns the text between two strings, or "" if they do not occur.
func between(text []byte, after, before string) string {
	_, rest, _ := bytes.Cut(text, []byte(after))
	found, _, _ := bytes.Cut(rest, []byte(before))
	return string(found)
}

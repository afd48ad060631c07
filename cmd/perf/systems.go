//go:build linux

package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// A system is a server under measurement, running.
type system struct {
	address string
	pid     int // whose CPU and memory count
	end     func()
	collect func() error // has it collect garbage; nil: it makes none
	dialect dialect
}

// A launcher starts a fresh system.
type launcher func() (*system, error)

// ours is one of pushbench's own servers.
func ours(command, transport string, flags ...string) launcher {
	return func() (*system, error) {
		args := append([]string{"serve", transport, "--control", "--listen", "127.0.0.1:0"}, flags...)
		s, err := listening(command, args...)
		if err != nil {
			return nil, err
		}
		head := " HTTP/1.1\r\nHost: " + s.address + "\r\n"
		s.dialect.publish = "POST /v1/topics/t" + head + body()
		switch transport {
		case "websocket":
			s.dialect.subscribe = "GET /v1/ws?topic=t" + head + handshake
		case "sse":
			s.dialect.subscribe = "GET /v1/sse?topic=t" + head + "\r\n"
		case "longpoll":
			s.dialect.subscribe = "GET /v1/poll?topic=t" + head + "\r\n"
			s.dialect.next = func(answer []byte) string {
				return "GET /v1/poll?topic=t&wait=30s&after=" + between(answer, `{"cursor":"`, `"`) + head + "\r\n"
			}
		}
		return s, nil
	}
}

// bare is the floor of WebSocket deliveries.
func bare() (*system, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	s, err := listening(self, floorRole)
	if err != nil {
		return nil, err
	}
	head := " HTTP/1.1\r\nHost: " + s.address + "\r\n"
	s.dialect = dialect{subscribe: "GET /" + head + handshake, publish: "POST /" + head + body()}
	return s, nil
}

// handshake is the end of a request to upgrade (RFC 6455, section 1.3).
const handshake = "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"

func body() string {
	return "Content-Type: text/plain\r\nContent-Length: " + strconv.Itoa(payloadSize) + "\r\n\r\n" + string(payload)
}

// listening starts a server whose first line says where it listens.
func listening(command string, args ...string) (*system, error) {
	p, err := start(serverCore, command, args...)
	if err != nil {
		return nil, err
	}
	line, err := p.out.ReadBytes('\n')
	var said struct{ Listening string }
	if err = errors.Join(err, json.Unmarshal(line, &said)); err != nil {
		p.end()
		return nil, fmt.Errorf("%s does not say where it listens: %w", args[0], err)
	}
	collect := func() error {
		_, ordered := io.WriteString(p.stdin, "collect\n")
		_, err := p.out.ReadBytes('\n')
		return errors.Join(ordered, err)
	}
	return &system{address: said.Listening, pid: p.pid(), end: p.end, collect: collect}, nil
}

// nchan is nginx with the nchan module, as it comes with Debian.
func nchan(transport string) launcher {
	return func() (*system, error) {
		dir, err := os.MkdirTemp("", "perf-nchan")
		if err != nil {
			return nil, err
		}
		address, err := freeAddress()
		if err != nil {
			return nil, err
		}
		file := filepath.Join(dir, "nginx.conf")
		if err := os.WriteFile(file, []byte(strings.NewReplacer("DIR", dir, "ADDRESS", address, "TRANSPORT", transport).Replace(nginxConf)), 0o600); err != nil {
			return nil, err
		}
		p, err := start(serverCore, "nginx", "-c", file, "-p", dir)
		if err != nil {
			return nil, err
		}
		end := func() { p.kill(); _ = os.RemoveAll(dir) } // of our own making
		worker, err := onlyChild(p.pid())
		if err != nil {
			end()
			return nil, err
		}
		head := " HTTP/1.1\r\nHost: " + address + "\r\n"
		d := dialect{subscribe: "GET /sub" + head + handshake, publish: "POST /pub" + head + body()}
		if transport == "longpoll" {
			d.subscribe = "GET /sub" + head + "\r\n"
			d.next = func(answer []byte) string {
				return "GET /sub" + head + "If-Modified-Since: " + between(answer, "Last-Modified: ", "\r\n") +
					"\r\nIf-None-Match: " + between(answer, "Etag: ", "\r\n") + "\r\n\r\n"
			}
		}
		return &system{address: address, pid: worker, end: end, dialect: d}, nil
	}
}

const nginxConf = `load_module /usr/lib/nginx/modules/ngx_nchan_module.so;
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

// missingNchan says what to install, if nginx cannot be measured here.
func missingNchan() string {
	_, err := exec.LookPath("nginx")
	_, module := os.Stat("/usr/lib/nginx/modules/ngx_nchan_module.so")
	if errors.Join(err, module) != nil {
		return "apt-get install nginx-light libnginx-mod-nchan"
	}
	return ""
}

// freeAddress is one that nobody listens on at the moment.
func freeAddress() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	return l.Addr().String(), nil
}

// onlyChild waits until a process has a child, and says which.
func onlyChild(pid int) (int, error) {
	for begun := time.Now(); time.Since(begun) < endWait; time.Sleep(10 * time.Millisecond) {
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", pid, pid))
		if err != nil {
			return 0, err
		}
		if child, err := strconv.Atoi(strings.TrimSpace(string(text))); err == nil {
			return child, nil
		}
	}
	return 0, errors.New("it started no worker")
}

// between is what stands in a text after one string and before the next; empty if it does not.
func between(text []byte, after, before string) string {
	_, rest, _ := bytes.Cut(text, []byte(after))
	found, _, _ := bytes.Cut(rest, []byte(before))
	return string(found)
}

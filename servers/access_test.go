package servers_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"pushbench/servers/hub"
	"pushbench/servers/wire"
)

// Pages of an allowed origin may read every kind of response; the other rules still hold.
func TestAllowedOriginsAndHosts(t *testing.T) {
	const origin = "https://app.example:8443"
	everywhere(t, func(t *testing.T, v variant) {
		s := start(t, v, wire.Limits{}, hub.Options{}, func(s *wire.Service) {
			s.Access = wire.Access{Hosts: []string{"bench.example"}, Origins: []string{origin}}
		})
		const from = "Origin: " + origin + "\r\nSec-Fetch-Site: cross-site\r\n"
		head := func(method, path, host, lines string) string {
			c := dial(t, s)
			defer c.Close()
			c.send(method + " " + path + " HTTP/1.1\r\nHost: " + host + "\r\n" + lines + "\r\n")
			header, err := readHeader(c.r)
			if err != nil {
				t.Errorf("%s %s: %v", method, path, err)
			}
			return header
		}
		cursor := hub.Cursor{Epoch: s.service.Hub.Epoch()}.String()
		subscription := edges[v.transport].path + "?topic=a"
		waiting := edges[v.transport].path + "?topic=a&after=" + cursor
		lines := from
		if v.transport == "websocket" {
			lines += handshake
		}
		if v.transport == "longpoll" {
			waiting += "&wait=1ms"
		}
		const readable = "\r\nAccess-Control-Allow-Origin: " + origin + "\r\n"
		for _, header := range []string{
			head("GET", "/v1/stats", s.addr, from),
			head("POST", "/v1/topics/b", s.addr, from+"Content-Length: 0\r\n"),
			head("OPTIONS", "/v1/topics/b", s.addr, from),
			head("GET", "/v1/nothing", s.addr, from),
			head("GET", subscription, s.addr, lines),
			head("GET", waiting, s.addr, lines),
		} {
			if upgraded := strings.Contains(header, " 101 "); !upgraded && (!strings.Contains(header, readable) || !strings.Contains(header, "\r\nVary: Origin\r\n")) || strings.Contains(header, " 403 ") {
				t.Errorf("got %q, want a readable response", header)
			}
		}
		if header := head("OPTIONS", "/v1/topics/b", s.addr, from); !strings.Contains(header, " 204 ") || !strings.Contains(header, "\r\nAccess-Control-Allow-Methods: GET, HEAD, POST\r\n") {
			t.Errorf("got %q for a preflight request", header)
		}
		for _, c := range []struct{ host, lines, status string }{
			{"bench.example:443", "", "200"},
			{"BENCH.example", "Origin: http://BENCH.example\r\n", "200"},
			{"bench.example", "Origin: https://bench.example\r\n", "200"}, // behind a proxy with TLS
			{"other.example", "", "421"},
			{"bench.example", "Origin: https://other.example\r\n", "403"},
			{s.addr, "Origin: https://app.example\r\n", "403"},
			{s.addr, "Origin: https://" + s.addr + "\r\n", "403"},
			{s.addr, "Sec-Fetch-Site: cross-site\r\n", "403"},
			{s.addr, "Sec-Fetch-Site: same-origin\r\n", "200"},
		} {
			if header := head("GET", "/v1/stats", c.host, c.lines); !strings.Contains(header, " "+c.status+" ") || strings.Contains(header, "Access-Control") {
				t.Errorf("Host %s, %q: got %q, want %s and no permission", c.host, c.lines, header, c.status)
			}
		}
	})
}

// Requests for new topics with the marks of another site's page create none.
func TestPagesOfOtherSitesCreateNoTopics(t *testing.T) {
	on(t, "shortpoll", func(t *testing.T, v variant) {
		s := start(t, v, wire.Limits{ReadTimeout: time.Second}, hub.Options{})
		for i := range 10 {
			c := dial(t, s)
			c.send(fmt.Sprintf("GET /v1/poll?topic=t%d HTTP/1.1\r\nHost: %s\r\nSec-Fetch-Site: cross-site\r\n\r\n", i, s.addr))
			if a := c.response("GET"); a.status != 403 {
				t.Errorf("got %q, want 403", a.header)
			}
		}
		if n := stats(t, s).Topics; n != 0 {
			t.Errorf("%d topics, want none", n)
		}
	})
}

package servers_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"pushbench/scenarios/transports"
	"pushbench/servers/hub"
	"pushbench/servers/wire"
)

// RFC 9110 section 6.6.1: every response has the Date, once, except a 101.
func TestEveryResponseHasDate(t *testing.T) {
	everywhere(t, func(t *testing.T, v variant) {
		began := time.Now()
		s := start(t, v, wire.Limits{}, hub.Options{})
		subscription := edges[v.transport].path + "?topic=a"
		headers := []string{post(t, s, "a", "x").header}
		for _, path := range []string{"/v1/healthz", "/v1/stats", "/v1/nothing", subscription + "&after=x"} {
			c := dial(t, s)
			c.request(path)
			headers = append(headers, c.response("GET").header)
		}
		if c := dial(t, s); !transports.Of(v.transport).Upgrades {
			c.request(subscription)
			opened, err := readHeader(c.r)
			if err != nil {
				t.Fatal(err)
			}
			headers = append(headers, opened)
		}
		for _, header := range headers {
			checkDate(t, header, began)
		}
	})
}

// checkDate checks the Date. fasthttp's clock may be some seconds late on a busy machine.
func checkDate(t *testing.T, header string, began time.Time) {
	t.Helper()
	if n := strings.Count(header, "\r\nDate: "); n != 1 || !strings.Contains(undated(header), "\nDate: DATE") {
		t.Errorf("%d dates in %q, want one in the format of RFC 9110", n, header)
		return
	}
	_, rest, _ := strings.Cut(header, "\r\nDate: ")
	text, _, _ := strings.Cut(rest, "\r\n")
	date, err := http.ParseTime(text)
	if err != nil || date.Before(began.Add(-time.Minute)) || date.After(time.Now()) {
		t.Errorf("Date: %s (%v), want the time of the response, from %s", text, err, began.UTC())
	}
}

func TestUpgradeHasNoDate(t *testing.T) {
	on(t, "websocket", func(t *testing.T, v variant) {
		c := dial(t, start(t, v, wire.Limits{}, hub.Options{}))
		c.request("/v1/ws?topic=a", handshake)
		if header, err := readHeader(c.r); err != nil || strings.Contains(header, "\r\nDate:") {
			t.Errorf("got %q, %v; want no Date, as gorilla/websocket writes it", header, err)
		}
	})
}

package generator

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"pushbench/bench/generator/generatortest"
)

func TestARateMayBeExceededForAMomentOnly(t *testing.T) {
	for _, c := range []struct {
		name      string
		perSecond func(second int) int64
		want      int // first second that exceeds the rate of 100 per second; 0: none does
	}{
		{"as allowed", func(int) int64 { return 100 }, 0},
		{"a stall, and what it delayed", func(s int) int64 { return []int64{100, 0, 0, 0, 400}[s%5] }, 0},
		{"twice the rate", func(int) int64 { return 200 }, 5},
		{"at once", func(s int) int64 { return int64(s / 20 * 1000) }, 20},
	} {
		a, sum, got := allowance{rate: 100, chance: chance}, int64(0), 0
		for s := 1; s < 100 && got == 0; s++ {
			if sum += c.perSecond(s); a.exceeded(sum, time.Second) {
				got = s
			}
		}
		if got != c.want {
			t.Errorf("%s: exceeded in second %d, want %d", c.name, got, c.want)
		}
	}
}

// A server on another host that makes its clients send more than the limits ends the trial, before it begins or within it.
func TestClientsOfAnotherHostKeepToTheLimits(t *testing.T) {
	for name, c := range map[string]struct {
		limits Limits
		closes bool
		want   string
	}{
		"polls at once": {Limits{Requests: 1, Connects: 1e9}, false, "the clients sent more than 1 requests per second to another host, "},
		"connections":   {Limits{Requests: 1e9, Connects: 1}, true, "the clients opened more than 1 connections per second to another host, "},
	} {
		t.Run(name, func(t *testing.T) {
			polls := new(generatortest.PollServer)
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if c.closes {
					w.Header().Set("Connection", "close")
				}
				polls.ServeHTTP(w, r)
			}))
			defer server.Close()
			scenario := strings.Replace(fmt.Sprintf(generatortest.PollScenario, "backend"), "shortpoll]", "longpoll]", 1)
			g := startGeneratorOf(t, strings.Replace(scenario, "shortpoll: {interval: 20ms}\n", "", 1), func(p *Prepare) {
				p.Transport, p.Target, p.Limits = "longpoll", strings.TrimPrefix(server.URL, "http://"), &c.limits
			})
			defer g.input.Close()
			g.send(Command{Connect: &Connect{}})
			m := <-g.reports
			if m.Connected != nil {
				m = <-g.reports
			}
			if !strings.HasPrefix(m.Failed, c.want) {
				t.Errorf("got %+v, want %q", m, c.want)
			}
			if err := <-g.ended; err == nil || err.Error() != m.Failed {
				t.Errorf("ended with %v", err)
			}
		})
	}
}

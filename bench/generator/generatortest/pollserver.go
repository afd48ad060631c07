// Package generatortest provides a minimal server for tests of the load generator.
package generatortest

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// A PollServer is a minimal server for short polling: one topic, no gaps, no waiting. It is written
// from servers/PROTOCOL.md alone.
type PollServer struct {
	Mu       sync.Mutex
	messages []string
	Polls    int
	Posts    int
}

func (s *PollServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.Mu.Lock()
	defer s.Mu.Unlock()
	if r.Method == http.MethodPost {
		s.publish(w, r)
		return
	}
	s.Polls++
	w.Header().Set("Content-Type", "application/json")
	after := r.URL.Query().Get("after")
	if after == "" {
		fmt.Fprintf(w, `{"cursor":"%d","messages":[],"heads":{"t0":%d}}`, len(s.messages), len(s.messages))
		return
	}
	from, _ := strconv.Atoi(after)
	if from == len(s.messages) {
		w.WriteHeader(http.StatusNoContent)
		return
	}
	fmt.Fprintf(w, `{"cursor":"%d","messages":[%s]}`, len(s.messages), strings.Join(s.messages[from:], ","))
}

// Await waits until the server has the given number of messages.
func (s *PollServer) Await(t *testing.T, messages int) {
	t.Helper()
	limit := time.After(time.Minute)
	for tick := time.NewTicker(time.Millisecond); ; {
		s.Mu.Lock()
		n := len(s.messages)
		s.Mu.Unlock()
		if n >= messages {
			return
		}
		select {
		case <-tick.C:
		case <-limit:
			t.Fatalf("%d messages, want %d", n, messages)
		}
	}
}

func (s *PollServer) publish(w http.ResponseWriter, r *http.Request) {
	s.Posts++
	body, _ := io.ReadAll(r.Body)
	topic := strings.TrimPrefix(r.URL.Path, "/v1/topics/")
	quoted, _ := json.Marshal(string(body))
	seq := len(s.messages) + 1
	s.messages = append(s.messages, fmt.Sprintf(`{"topic":%q,"seq":%d,"data":%s}`, topic, seq, quoted))
	fmt.Fprintf(w, `{"topic":%q,"seq":%d}`, topic, seq)
}

// PollScenario is a small short-polling scenario; its format verb is the publisher.
const PollScenario = `version: 1
name: test
transports: [shortpoll]
clients: {count: 5}
publish: {by: %s, rate: 200/s}
payload: {size: 64B}
shortpoll: {interval: 20ms}
idle: 0s
warmup: 100ms
window: 500ms
`

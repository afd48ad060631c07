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

func (l *PollServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	l.Mu.Lock()
	defer l.Mu.Unlock()
	if r.Method == http.MethodPost {
		l.publish(w, r)
		return
	}
	l.Polls++
	after := r.URL.Query().Get("after")
	if after == "" {
		fmt.Fprintf(w, `{"cursor":"%d","messages":[],"heads":{"t0":%d}}`, len(l.messages), len(l.messages))
		return
	}
	from, _ := strconv.Atoi(after)
	if from == len(l.messages) {
		w.WriteHeader(http.StatusNoContent)
		return
	}
	fmt.Fprintf(w, `{"cursor":"%d","messages":[%s]}`, len(l.messages), strings.Join(l.messages[from:], ","))
}

// Await waits until the server has the given number of messages.
func (l *PollServer) Await(t *testing.T, messages int) {
	t.Helper()
	limit := time.After(time.Minute)
	for tick := time.NewTicker(time.Millisecond); ; {
		l.Mu.Lock()
		n := len(l.messages)
		l.Mu.Unlock()
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

func (l *PollServer) publish(w http.ResponseWriter, r *http.Request) {
	l.Posts++
	body, _ := io.ReadAll(r.Body)
	topic := strings.TrimPrefix(r.URL.Path, "/v1/topics/")
	quoted, _ := json.Marshal(string(body))
	seq := len(l.messages) + 1
	l.messages = append(l.messages, fmt.Sprintf(`{"topic":%q,"seq":%d,"data":%s}`, topic, seq, quoted))
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

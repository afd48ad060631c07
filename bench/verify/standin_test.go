package verify

import (
	"crypto/sha1"
	"encoding/base64"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/websocket"
)

// standInFile is the target file of a standIn. Its %s is the address.
const standInFile = `version: 1
name: stand-in
url: http://%s
transports:
  shortpoll: {path: "/poll?id={topic}&after={next}", next: [{header: Next, as: next}]}
  longpoll: {path: "/poll?id={topic}&wait=1&after={next}", next: [{header: Next, as: next}]}
  sse: {path: "/events?id={topic}"}
  httpstream: {path: "/lines?id={topic}"}
  websocket:
    path: /socket
    steps:
    - expect: '^hello$'
    - send: join {topic}
    - expect: '^joined '
publish:
  post: /publish?id={topic}
  frame: 'say {topic} {payload}'
  ack: '^said$'
promises: {resume: [longpoll, shortpoll]}
`

// A standIn is a server that serves standInFile as it should, except for one misbehaviour.
type standIn struct {
	misbehaviour
	http.Handler
	closed chan struct{} // when the test ends

	mu       sync.Mutex
	messages map[string][]string // by topic
	changed  chan struct{}       // closed and replaced with each message
}

// A misbehaviour is how a stand-in differs from a server that serves its target file. The zero value does not.
type misbehaviour struct {
	respond func(w http.ResponseWriter, r *http.Request) bool        // responds to a request itself, or returns false
	open    func(c net.Conn)                                         // writes to a WebSocket after the handshake
	publish func(topic, text string) (newTopic string, all []string) // what a publication becomes
	mute    bool                                                     // no request has a response
	limit   int64                                                    // of a publication, in bytes; 0: none
	silent  bool                                                     // publications are not acknowledged
	binary  bool                                                     // frames are binary
	idle    time.Duration                                            // of a WebSocket, until the server sends a ping and closes it; 0s: none
	event   string                                                   // format of an event; default "data: %s\n\n"
}

// serve serves a stand-in in this process and returns its address.
func serve(t *testing.T, m misbehaviour) string {
	s := newStandIn(m)
	server := httptest.NewServer(s)
	t.Cleanup(func() {
		close(s.closed)
		server.CloseClientConnections()
		server.Close()
	})
	return strings.TrimPrefix(server.URL, "http://")
}

func newStandIn(m misbehaviour) *standIn {
	s := &standIn{misbehaviour: m, closed: make(chan struct{}), messages: map[string][]string{}, changed: make(chan struct{})}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /publish", func(w http.ResponseWriter, r *http.Request) {
		if s.limit > 0 && r.ContentLength > s.limit {
			w.WriteHeader(http.StatusRequestEntityTooLarge)
			return
		}
		text, _ := io.ReadAll(r.Body)
		s.add(r.FormValue("id"), string(text))
		if s.silent {
			s.wait(r)
		}
		w.WriteHeader(http.StatusAccepted)
	})
	mux.HandleFunc("GET /poll", s.poll)
	mux.HandleFunc("GET /events", s.stream("text/event-stream", "data: %s\n\n"))
	mux.HandleFunc("GET /lines", s.stream("text/plain", "%s\n"))
	mux.HandleFunc("GET /socket", s.socket)
	s.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case s.mute:
			s.wait(r)
		case s.respond == nil || !s.respond(w, r):
			mux.ServeHTTP(w, r)
		}
	})
	return s
}

// wait waits until the client or the test has ended.
func (s *standIn) wait(r *http.Request) {
	select {
	case <-r.Context().Done():
	case <-s.closed:
	}
}

func (s *standIn) add(topic, text string) {
	all := []string{text}
	if s.misbehaviour.publish != nil {
		topic, all = s.misbehaviour.publish(topic, text)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.messages[topic] = append(s.messages[topic], all...)
	close(s.changed)
	s.changed = make(chan struct{})
}

// since returns the messages of a topic from a position on. A position before the first one is the end.
func (s *standIn) since(topic string, from int) (all []string, next int, changed <-chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	next = len(s.messages[topic])
	if from < 0 {
		from = next
	}
	return s.messages[topic][from:next:next], next, s.changed
}

// follow passes on new messages until the request ends or send returns false.
func (s *standIn) follow(r *http.Request, topic string, from int, send func(all []string, next int) bool) {
	for {
		all, next, changed := s.since(topic, from)
		if from = next; len(all) > 0 && !send(all, next) {
			return
		}
		select {
		case <-changed:
		case <-r.Context().Done():
			return
		case <-s.closed:
			return
		}
	}
}

func (s *standIn) poll(w http.ResponseWriter, r *http.Request) {
	from, err := strconv.Atoi(r.FormValue("after"))
	if err != nil {
		from = -1
	}
	respond := func(all []string, next int) bool {
		w.Header().Set("Next", strconv.Itoa(next))
		if len(all) == 0 {
			w.WriteHeader(http.StatusNoContent)
		}
		_, _ = io.WriteString(w, strings.Join(all, "\n"))
		return false
	}
	if r.FormValue("wait") != "" {
		s.follow(r, r.FormValue("id"), from, respond)
		return
	}
	all, next, _ := s.since(r.FormValue("id"), from)
	respond(all, next)
}

func (s *standIn) stream(media, format string) http.HandlerFunc {
	if media == "text/event-stream" && s.event != "" {
		format = s.event
	}
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", media)
		_, from, _ := s.since(r.FormValue("id"), -1)
		_ = http.NewResponseController(w).Flush()
		s.follow(r, r.FormValue("id"), from, func(all []string, _ int) bool {
			for _, one := range all {
				_, _ = fmt.Fprintf(w, format, one)
			}
			return http.NewResponseController(w).Flush() == nil
		})
	}
}

func (s *standIn) socket(w http.ResponseWriter, r *http.Request) {
	c, err := new(websocket.Upgrader).Upgrade(w, r, nil)
	if err != nil {
		return
	}
	defer c.Close()
	c.SetReadLimit(s.limit) // beyond it, the connection is closed with 1009 (RFC 6455, section 7.4.1)
	var writing sync.Mutex
	send := func(text string) {
		writing.Lock()
		defer writing.Unlock()
		kind := websocket.TextMessage
		if s.binary {
			kind = websocket.BinaryMessage
		}
		_ = c.WriteMessage(kind, []byte(text)) // the client may have ended
	}
	if s.open != nil {
		c.SetCloseHandler(func(int, string) error { return nil }) // no other close frame follows its own
		s.open(c.NetConn())
	} else {
		send("hello")
	}
	if s.idle > 0 {
		_ = c.SetReadDeadline(time.Now().Add(s.idle)) // fails only if closed
	}
	joined := map[string]bool{}
	for {
		_, text, err := c.ReadMessage()
		if err != nil {
			if s.idle > 0 {
				_ = c.WriteControl(websocket.PingMessage, nil, time.Time{}) // the client may have ended
			}
			return
		}
		command, rest, _ := strings.Cut(string(text), " ")
		topic, message, _ := strings.Cut(rest, " ")
		switch {
		case command == "join":
			_, from, _ := s.since(topic, -1)
			go s.follow(r, topic, from, func(all []string, _ int) bool {
				for _, one := range all {
					send("message " + one)
				}
				return true
			})
			joined[topic] = true
			send("joined " + topic)
		case command == "say" && joined[topic]: // as many servers, it accepts messages from subscribers only
			s.add(topic, message)
			if !s.silent {
				send("said")
			}
		}
	}
}

// accept is the Sec-WebSocket-Accept of a key (RFC 6455, section 4.2.2).
func accept(key string) string {
	sum := sha1.Sum([]byte(key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
	return base64.StdEncoding.EncodeToString(sum[:])
}

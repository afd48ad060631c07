// Goservice is a chat service as a team would write it: rooms, JSON and gorilla/websocket. It shows
// how pushbench measures a server that was not written for it. See target.yaml.
package main

import (
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"sync"

	"github.com/gorilla/websocket"
)

// A message is a frame in both directions.
type message struct {
	Type string `json:"type"` // join, joined, say, said
	Room string `json:"room"`
	Text string `json:"text,omitempty"`
	ID   uint32 `json:"id,omitempty"`
}

// A member is one connection. Its lock serializes writes.
type member struct {
	mu sync.Mutex
	*websocket.Conn
}

func (m *member) send(one message) {
	m.mu.Lock()
	defer m.mu.Unlock()
	_ = m.WriteJSON(one) // the reader sees the end of the connection
}

// rooms are the members by room.
type rooms struct {
	mu  sync.RWMutex
	all map[string]map[*member]bool
}

func (r *rooms) join(room string, m *member) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.all[room] == nil {
		r.all[room] = map[*member]bool{}
	}
	r.all[room][m] = true
}

func (r *rooms) leave(m *member) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, members := range r.all {
		delete(members, m)
	}
}

func (r *rooms) say(one message) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	for m := range r.all[one.Room] {
		m.send(message{Type: "message", Room: one.Room, Text: one.Text})
	}
}

func (r *rooms) serve(w http.ResponseWriter, request *http.Request) {
	c, err := (&websocket.Upgrader{}).Upgrade(w, request, nil)
	if err != nil {
		return
	}
	m := &member{Conn: c}
	defer c.Close()
	defer r.leave(m)
	for {
		var one message
		if c.ReadJSON(&one) != nil {
			return
		}
		switch one.Type {
		case "join":
			r.join(one.Room, m)
			m.send(message{Type: "joined", Room: one.Room})
		case "say":
			r.say(one)
			m.send(message{Type: "said", ID: one.ID})
		}
	}
}

func main() {
	http.HandleFunc("/chat", (&rooms{all: map[string]map[*member]bool{}}).serve)
	http.HandleFunc("/.well-known/pushbench", func(w http.ResponseWriter, _ *http.Request) { // allows load from another host
		_, _ = io.WriteString(w, os.Getenv("PUSHBENCH_TOKEN"))
	})
	l, err := net.Listen("tcp", os.Args[1])
	if err != nil {
		log.Fatal(err)
	}
	log.Printf("listening on %s", l.Addr())
	log.Fatal(http.Serve(l, nil)) //nolint:gosec // an example: a public server needs timeouts
}

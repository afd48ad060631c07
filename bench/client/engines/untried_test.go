package engines

import (
	"crypto/hmac"
	"crypto/md5" //nolint:gosec // the protocol of Pusher requires it
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/gorilla/websocket"

	"pushbench/bench/client"
	"pushbench/bench/client/clienttest"
	"pushbench/bench/payload"
)

// A chat is a stand-in for a server of a target that was not tried against the real one: it reacts to records of its
// protocol as the documentation of the server says. $1 and $2 are the groups of a pattern.
type chat struct {
	path, query string
	hello       string
	reactions   []reaction
	message     string // what subscribers receive: $1 is the topic, $2 the payload

	mu      sync.Mutex // guards what follows, and writing
	members map[string][]*websocket.Conn
	strange []string // records that match no pattern
}

type reaction struct {
	pattern string // of a whole frame
	reply   string // "": none
	joins   bool   // $1 is a topic
	says    bool   // $1 is a topic, $2 a payload
}

func (c *chat) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodPost {
		c.publish(w, r)
		return
	}
	if r.URL.Path != c.path || r.URL.RawQuery != c.query {
		http.NotFound(w, r)
		return
	}
	conn, err := new(websocket.Upgrader).Upgrade(w, r, nil)
	if err != nil {
		return
	}
	defer conn.Close()
	c.send(conn, c.hello)
	for {
		_, text, err := conn.ReadMessage()
		if err != nil {
			return
		}
		c.react(conn, string(text))
	}
}

// publish is the HTTP API of Pusher: the signature is that of the query's other parameters, sorted.
func (c *chat) publish(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	query := r.URL.Query()
	signature := query.Get("auth_signature")
	query.Del("auth_signature")
	mac := hmac.New(sha256.New, []byte(foreignSecret))
	_, _ = io.WriteString(mac, r.Method+"\n"+r.URL.Path+"\n"+query.Encode())
	var event struct{ Name, Channel, Data string }
	if digest := md5.Sum(body); query.Get("body_md5") != hex.EncodeToString(digest[:]) || signature != hex.EncodeToString(mac.Sum(nil)) || json.Unmarshal(body, &event) != nil {
		http.Error(w, "invalid signature", http.StatusUnauthorized)
		return
	}
	c.say(event.Channel, event.Data)
	_, _ = io.WriteString(w, "{}")
}

func (c *chat) react(conn *websocket.Conn, record string) {
	for _, one := range c.reactions {
		pattern := regexp.MustCompile("^" + one.pattern + "$")
		groups := pattern.FindStringSubmatch(record)
		switch {
		case groups == nil:
			continue
		case one.joins:
			c.mu.Lock()
			c.members[groups[1]] = append(c.members[groups[1]], conn)
			c.mu.Unlock()
		case one.says:
			c.say(groups[1], groups[2])
		}
		c.send(conn, pattern.ReplaceAllString(record, one.reply))
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.strange = append(c.strange, record)
}

func (c *chat) say(topic, text string) {
	c.mu.Lock()
	members := c.members[topic]
	c.mu.Unlock()
	for _, member := range members {
		c.send(member, strings.NewReplacer("$1", topic, "$2", text).Replace(c.message))
	}
}

func (c *chat) send(conn *websocket.Conn, text string) {
	if text == "" {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	_ = conn.WriteMessage(websocket.TextMessage, []byte(text))
}

// chats returns the stand-ins, by target.
func chats() map[string]*chat {
	return map[string]*chat{
		"phoenix": {
			path: "/socket/websocket", query: "vsn=2.0.0", message: `[null,null,"room:$1","new_msg",{"body":"$2"}]`,
			reactions: []reaction{
				{pattern: `\["j(\w+)","j\w+","room:\w+","phx_join",\{\}\]`, reply: `["j$1","j$1","room:$1","phx_reply",{"status":"ok","response":{}}]`, joins: true},
				{pattern: `\["j\w+","\d+","room:(\w+)","new_msg",\{"body":"(.*)"\}\]`, says: true},
			},
		},
		"pusher": {
			path: "/app/app-key", query: "protocol=7&client=pushbench&version=1.0", message: `{"event":"message","channel":"$1","data":"$2"}`,
			hello: `{"event":"pusher:connection_established","data":"{\"socket_id\":\"1.1\",\"activity_timeout\":120}"}`,
			reactions: []reaction{
				{pattern: `\{"event":"pusher:subscribe","data":\{"channel":"(\w+)"\}\}`, reply: `{"event":"pusher_internal:subscription_succeeded","channel":"$1","data":"{}"}`, joins: true},
			},
		},
		"signalr": {
			path: "/hub", message: `{"type":1,"target":"message","arguments":["$2"]}` + "\x1e" + `{"type":6}` + "\x1e",
			reactions: []reaction{
				{pattern: `\{"protocol":"json","version":1\}` + "\x1e", reply: "{}\x1e"},
				{pattern: `\{"type":1,"invocationId":"j\w+","target":"Join","arguments":\["(\w+)"\]\}` + "\x1e", reply: `{"type":3,"invocationId":"j$1","result":null}` + "\x1e", joins: true},
				{pattern: `\{"type":1,"invocationId":"\d+","target":"Say","arguments":\["(\w+)","(.*)"\]\}` + "\x1e", reply: `{"type":3,"invocationId":"1"}` + "\x1e", says: true},
			},
		},
	}
}

// The target files of servers that were not to be had speak the protocols that their documentation describes.
func TestUntriedTargets(t *testing.T) {
	for name := range chats() {
		t.Run(name, func(t *testing.T) {
			onEachEngine(t, func(t *testing.T, start starter) { untried(t, start, name) })
		})
	}
}

func untried(t *testing.T, start starter, name string) {
	server := chats()[name]
	server.members = map[string][]*websocket.Conn{}
	dialect := shipped(t, name, "websocket")
	var traffic client.Traffic
	engine := startForeign(start, serveHTTP(t, server), dialect, &traffic)
	saw := clienttest.NewObserver()
	one := engine.Open(client.Subscription{Client: 0, Topics: []string{"a", "b"}, Delivery: "every", Publishes: true}, saw)
	saw.Await(t, "a connection", func(calls []clienttest.Call) bool { return len(clienttest.Events(calls, 0, client.Connected)) > 0 })
	publisher := 0
	from := one
	if dialect.Posts() {
		publisher, from = -1, engine.Open(client.Subscription{Client: -1}, saw)
		defer from.Close()
	}
	for i, topic := range []string{"a", "c", "b"} {
		from.Publish(uint32(i), topic, payload.Append(nil, foreignRun, uint32(i), 64))
	}
	saw.Await(t, "two messages", func(calls []clienttest.Call) bool { return len(indexes(calls, 0)) >= 2 })
	if got := indexes(saw.All(), 0); fmt.Sprint(got) != "[0 2]" {
		t.Errorf("got %v, want [0 2]", got)
	}
	if dialect.Posts() || dialect.Acknowledges() {
		saw.Await(t, "three outcomes", func(calls []clienttest.Call) bool {
			return len(clienttest.Events(calls, publisher, client.Acked)) == 3
		})
	}
	one.Close()
	server.mu.Lock()
	defer server.mu.Unlock()
	if len(server.strange) > 0 {
		t.Errorf("the server does not know %q", server.strange)
	}
}

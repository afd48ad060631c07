// Package identify finds out with few requests which protocol a server speaks: whether it upgrades to
// WebSocket, streams events, and which of the known dialects it is.
//
// It owns the requests, their limits and the signs by which a dialect is recognized. It must never publish, nor
// subscribe to a topic.
package identify

import (
	"context"
	"crypto/tls"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"pushbench/bench/inspect"
)

// Limits of all requests to a server together.
const (
	MostRequests = 10
	DefaultWait  = 300 * time.Millisecond
	mostWaits    = 13 // until the last request begins: 4 s
)

// A Server is what the requests found out.
type Server struct {
	Requests    int
	Status      int    // of a GET; 0: no response in time
	Type        string // media type of that response
	Events      bool   // it responds with a stream of events
	Socket      string // path at which it upgrades to WebSocket; "": none was found
	Subprotocol string // the one that the server selected; "": none
	First       string // the first frame, or the first line of the stream of events; "": none came in time
	Dialect     Dialect
}

// A Dialect is a known protocol above the transports. The zero value is an unknown one.
type Dialect struct {
	Title  string // as in its documentation
	Target string // name of the target that ships with pushbench
	Sign   string // what it was recognized by
}

// Probe sends requests to a URL of the scheme http or https, and waits for each response and each first frame for the
// given time. Without a configuration the certificate is checked with the authorities of the system. An error means
// that there is no connection to the server.
func Probe(ctx context.Context, u *url.URL, secured *tls.Config, wait time.Duration) (Server, error) {
	ctx, cancel := context.WithTimeout(ctx, mostWaits*wait)
	defer cancel()
	p := &prober{url: u, tls: secured, wait: wait}
	get, err := inspect.Do(ctx, p.request(inspect.Poll, u.RequestURI()))
	if err != nil {
		return Server{}, err
	}
	p.found.Requests++
	p.found.Status, p.found.Type = get.Status, get.Header("Content-Type")
	p.recognize(Sights{Header: get.Header})
	for _, talk := range []func(context.Context){p.events, p.sockets, p.initialize} {
		if p.found.Dialect.Target == "" {
			talk(ctx)
		}
	}
	return p.found, nil
}

// A prober sends requests while its limits allow it.
type prober struct {
	url   *url.URL
	tls   *tls.Config
	wait  time.Duration
	found Server
}

func (p *prober) request(kind inspect.Kind, path string) inspect.Target {
	u := *p.url
	if to, err := url.Parse(path); err == nil {
		u.Path, u.RawPath, u.RawQuery = to.Path, to.RawPath, to.RawQuery
	}
	return inspect.Target{Kind: kind, URL: &u, Wait: p.wait, TLS: p.tls}
}

// do sends one more request. It returns nil if the limits are reached or the server does not accept it.
func (p *prober) do(ctx context.Context, t inspect.Target) *inspect.Exchange {
	if p.found.Requests >= MostRequests || ctx.Err() != nil {
		return nil
	}
	p.found.Requests++
	e, err := inspect.Do(ctx, t)
	if err != nil {
		return nil
	}
	return e
}

// events requests a stream of events.
func (p *prober) events(ctx context.Context) {
	e := p.do(ctx, p.request(inspect.SSE, p.url.RequestURI()))
	if e == nil {
		return
	}
	if e.Status == http.StatusOK && strings.HasPrefix(e.Header("Content-Type"), "text/event-stream") {
		p.found.Events, p.found.First = true, e.First
	}
	p.recognize(Sights{Header: e.Header, Event: e.First})
}

// sockets looks for a WebSocket at the path of the URL, and if that is / also at the usual paths.
func (p *prober) sockets(ctx context.Context) {
	paths := []string{p.url.RequestURI()}
	if paths[0] == "/" {
		for _, d := range dialects {
			paths = append(paths, d.paths...)
		}
	}
	for _, path := range paths {
		e := p.do(ctx, p.request(inspect.WebSocket, path))
		if e == nil || e.Status != http.StatusSwitchingProtocols {
			continue
		}
		p.found.Socket, p.found.First = path, e.First
		p.recognize(Sights{Header: e.Header, Switched: true, Frame: e.First})
		for _, talk := range []func(context.Context){p.offer, p.open} {
			if p.found.Dialect.Target == "" {
				talk(ctx)
			}
		}
		return
	}
}

// unknownSubprotocol is offered first: a server that selects it takes any.
const unknownSubprotocol = "pushbench"

// offer offers all known subprotocols.
func (p *prober) offer(ctx context.Context) {
	t := p.request(inspect.WebSocket, p.found.Socket)
	offered := []string{unknownSubprotocol}
	for _, d := range dialects {
		offered = append(offered, d.subprotocols...)
	}
	t.Subprotocol = strings.Join(offered, ", ")
	e := p.do(ctx, t)
	if e == nil || e.Status != http.StatusSwitchingProtocols {
		return
	}
	if selected := e.Header("Sec-WebSocket-Protocol"); selected != unknownSubprotocol {
		p.found.Subprotocol = selected
	}
	p.recognize(Sights{Header: e.Header, Frame: e.First, Subprotocol: p.found.Subprotocol})
}

// open sends the first frame of a dialect whose server waits for it, if its path is one of that dialect. Another server
// might not expect such a frame.
func (p *prober) open(ctx context.Context) {
	for _, d := range dialects {
		if d.opening == "" || p.found.First != "" || !d.at.MatchString(p.found.Socket) {
			continue
		}
		t := p.request(inspect.WebSocket, p.found.Socket)
		t.Send = []string{d.opening}
		if e := p.do(ctx, t); e != nil && d.reply.MatchString(e.First) {
			p.found.First = e.First
			p.found.Dialect = Dialect{d.title, d.target, "its reply to " + d.opening}
		}
	}
}

// initialize makes the first request of a client of the Model Context Protocol, at a path that is not a WebSocket's.
func (p *prober) initialize(ctx context.Context) {
	if p.found.Socket != "" || p.url.RequestURI() == "/" || p.found.Requests >= MostRequests || ctx.Err() != nil {
		return
	}
	p.found.Requests++
	ctx, cancel := context.WithTimeout(ctx, p.wait)
	defer cancel()
	const body = `{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-06-18","capabilities":{},"clientInfo":{"name":"pushbench","version":"1"}}}`
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, p.url.String(), strings.NewReader(body))
	if err != nil {
		return
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Accept", "application/json, text/event-stream")
	// A redirect may name another host.
	c := http.Client{
		Transport:     &http.Transport{DisableKeepAlives: true, TLSClientConfig: p.tls},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	response, err := c.Do(request)
	if err != nil {
		return
	}
	defer response.Body.Close()
	p.recognize(Sights{Header: response.Header.Get})
}

// recognize sets the dialect, if the sights have a sign of one.
func (p *prober) recognize(s Sights) {
	if d := Recognize(s); d.Target != "" {
		p.found.Dialect = d
	}
}

// Sights are parts of a response that may have a sign of a dialect.
type Sights struct {
	Header      func(name string) string
	Switched    bool   // the status is 101
	Frame       string // the first frame of a WebSocket
	Event       string // the first line of a stream of events
	Subprotocol string // selected by the server
}

// Recognize returns the dialect of which a response has a sign.
func Recognize(s Sights) Dialect {
	for _, d := range dialects {
		if sign := d.sign(s); sign != "" {
			return Dialect{d.title, d.target, sign}
		}
	}
	return Dialect{}
}

// A dialect has the signs of a known protocol.
type dialect struct {
	title, target string

	paths        []string       // usual ones of its WebSocket
	subprotocols []string       // that only its servers select
	frame        *regexp.Regexp // the first frame, which the server sends by itself
	opening      string         // the frame for which the server waits, if it does
	at           *regexp.Regexp // paths at which the opening is sent
	reply        *regexp.Regexp // to the opening
	field        string         // a field of its responses
	product      string         // start of the field Server, where one of these is a sign:
	event        string         // the first line of its streams
	upgrade      string         // a field of its responses with status 101
}

// dialects are the known protocols. The usual paths are in the order in which they are tried.
var dialects = []dialect{
	{
		title: "Socket.IO (Engine.IO 4)", target: "socketio",
		paths: []string{"/socket.io/?EIO=4&transport=websocket"}, frame: regexp.MustCompile(`^0\{"sid":`),
	},
	{
		title: "Centrifugo", target: "centrifugo", paths: []string{"/connection/websocket"},
		opening: `{"id":1,"connect":{}}`, at: regexp.MustCompile(`/connection/websocket(\?|$)`), reply: regexp.MustCompile(`"connect":\{|"error":\{"code":10[0-9]`),
	},
	{
		title: "ActionCable", target: "actioncable", paths: []string{"/cable"},
		subprotocols: []string{"actioncable-v1-json"}, frame: regexp.MustCompile(`^\{"type":"welcome"`),
	},
	{title: "graphql-transport-ws", target: "graphqlws", paths: []string{"/graphql"}, subprotocols: []string{"graphql-transport-ws"}},
	{
		title: "Phoenix Channels", target: "phoenix", paths: []string{"/socket/websocket?vsn=2.0.0"},
		opening: `["0","0","phoenix","heartbeat",{}]`, at: regexp.MustCompile(`/websocket(\?|$)`), reply: regexp.MustCompile(`"phx_reply"`),
	},
	{title: "MQTT", target: "mosquitto", subprotocols: []string{"mqtt", "mqttv3.1"}},
	{title: "STOMP", target: "rabbitmq", subprotocols: []string{"v12.stomp", "v11.stomp", "v10.stomp"}},
	{title: "NATS", target: "nats", frame: regexp.MustCompile(`^INFO \{`)},
	{title: "Pusher", target: "pusher", frame: regexp.MustCompile(`"event":"pusher:connection_established"`)},
	{
		title: "SignalR", target: "signalr",
		opening: "{\"protocol\":\"json\",\"version\":1}\x1e", at: regexp.MustCompile(`(?i)hub(\?|$)`), reply: regexp.MustCompile("^\\{\\}\x1e"),
	},
	{title: "MCP (Streamable HTTP)", target: "mcp", field: "Mcp-Session-Id"},
	{title: "Durable Streams", target: "durablestreams", field: "Stream-Next-Offset"},
	{title: "nchan", target: "nchan", product: "nginx", event: ": hi", upgrade: "Content-Length"},
}

// sign returns the sign of the dialect in a response; "": it has none.
func (d dialect) sign(s Sights) string {
	switch {
	case slices.Contains(d.subprotocols, s.Subprotocol):
		return "the subprotocol " + s.Subprotocol
	case d.frame != nil && d.frame.MatchString(s.Frame):
		return "its first frame"
	case d.field != "" && s.Header(d.field) != "":
		return "the header field " + d.field
	case d.product == "" || !strings.HasPrefix(s.Header("Server"), d.product):
		return ""
	case d.event == s.Event:
		return "the first line of its events, and the header field Server"
	case s.Switched && s.Header(d.upgrade) != "":
		return "the header fields Server and " + d.upgrade + " of its upgrade"
	}
	return ""
}

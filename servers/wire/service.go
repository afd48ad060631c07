// Package wire is the part of the contract of PROTOCOL.md that all transports
// share: requests and responses, query parsing, publishing, counters, limits, the
// batch and its encode-once cache.
//
// It owns the one hub, poller and set of counters of a server process. It must
// never frame anything for one transport only, and never let two edges respond to
// the same request differently.
package wire

import (
	"cmp"
	"crypto/tls"
	"fmt"
	"log/slog"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"pushbench/scenarios/transports"
	"pushbench/servers/faults"
	"pushbench/servers/hub"
	"pushbench/servers/sock"
	"pushbench/servers/wire/httpstack"
)

// A Service is the transport-independent part of a server process, on which its edge is built.
type Service struct {
	Hub    *hub.Hub
	Poller *sock.Poller
	Limits Limits
	Count  Counters
	HTTP   *httpstack.Stack // the HTTP library
	TLS    *tls.Config      // nil: cleartext. Set it before Serve
	Access Access           // set it before Serve

	// Webhooks starts to post a subscription's messages to a URL and replaces the previous
	// webhook with that URL. nil: this server has none. Set it before Serve.
	Webhooks func(url string, sub *Subscribe) (httpstack.Response, error)

	transport transports.Transport
	library   Library
	subs      subscription
	started   time.Time
	publisher func(topic string, data []byte) (seq uint64, err error) // of the hub or of faults
	faults    *faults.Injector                                        // nil: none
	nagle     bool                                                    // as sock.Listener.Nagle
	listener  atomic.Pointer[sock.Listener]
	hosts     atomic.Pointer[hosts]
	closing   atomic.Bool
}

// A subscription is the subscription endpoint of a transport, and the kind under which its requests count.
type subscription struct {
	path     string // "": the transport has only webhooks
	endpoint endpoint
}

var subscriptions = map[string]subscription{
	transports.ShortPoll:  {"/v1/poll", pollEndpoint},
	transports.LongPoll:   {"/v1/poll", pollEndpoint},
	transports.SSE:        {"/v1/sse", sseEndpoint},
	transports.HTTPStream: {"/v1/stream", "stream"},
	transports.WebSocket:  {"/v1/ws", upgradeEndpoint},
	transports.Webhook:    {"", unknownEndpoint},
}

// SubscriptionPath returns the path that clients of a transport request to subscribe.
func SubscriptionPath(transport string) string {
	return cmp.Or(subscriptions[transport].path, "/v1/webhooks")
}

// New starts the hub and the poller of a server for one transport. Close ends them.
func New(transport string, library Library, l Limits, o hub.Options) (*Service, error) {
	traits := transports.Of(transport)
	subs, known := subscriptions[transport]
	if !known {
		return nil, fmt.Errorf("unknown transport %q", transport)
	}
	if !slices.Contains(Libraries, library) {
		return nil, fmt.Errorf("unknown library %q", library)
	}
	l = l.withDefaults()
	poller, err := sock.NewPoller(l.stallAfter())
	if err != nil {
		return nil, err
	}
	s := &Service{
		Poller:    poller,
		Limits:    l,
		transport: traits,
		library:   library,
		subs:      subs,
		started:   time.Now(),
	}
	poller.Panicked = s.panicked
	o.Panicked = func(w hub.Waker, p any) {
		s.panicked(p)
		if f, ok := w.(failer); ok {
			s.Guard(f.Fail)
		}
	}
	s.Hub = hub.New(o)
	s.Count.requests = newRequests()
	s.publisher = s.Hub.Publish
	s.HTTP = httpstack.New(httpstack.Config{
		Library:             library.httpLibrary(traits),
		Poller:              poller,
		MaxHeader:           l.MaxHeader,
		MaxBody:             l.MaxPayload,
		ResponseHeaderBytes: l.ResponseHeaderBytes,
		ReadTimeout:         l.ReadTimeout,
		IdleTimeout:         l.IdleTimeout,
		Conns:               s.Conns,
		Closing:             s.Closing,
		Unreadable:          s.unreadable,
	})
	return s, nil
}

// Inject injects faults into the server. Call it before Serve.
func (s *Service) Inject(f faults.Faults) {
	s.faults, s.nagle = faults.New(s.Hub, f), f.Nagle
	s.publisher = func(topic string, data []byte) (seq uint64, err error) {
		s.Poller.Wait(func() { seq, err = s.faults.Publish(topic, data) }) // other workers run while it sleeps
		return seq, err
	}
}

// Close ends the hub and the poller. The edge must be shut down first.
func (s *Service) Close() {
	if s.faults != nil {
		s.faults.Close()
	}
	s.Hub.Close()
	s.Poller.Close()
}

// listen wraps the listener of an edge and stores its address, which
// requests may name as Host.
func (s *Service) listen(ln net.Listener) *sock.Listener {
	l := sock.Listen(ln, s.Poller)
	l.FirstByte, l.TLS, l.Nagle = s.Limits.IdleTimeout, s.TLS, s.nagle
	s.listener.Store(l)
	s.hosts.Store(allowHosts(ln.Addr(), s.Access.Hosts))
	if s.closing.Load() {
		_ = l.Close() // beginShutdown was called before there was a listener to close
	}
	return l
}

// Conns returns the open connections.
func (s *Service) Conns() []*sock.Conn {
	if l := s.listener.Load(); l != nil {
		return l.Conns()
	}
	return nil
}

// beginShutdown stops accepting and makes every further response the last one of its
// connection.
func (s *Service) beginShutdown() {
	s.closing.Store(true)
	if l := s.listener.Load(); l != nil {
		_ = l.Close() // fails only if it is closed already
	}
}

// Closing reports whether beginShutdown was called.
func (s *Service) Closing() bool { return s.closing.Load() }

// handle returns the response to a request, or a valid subscription for the edge to
// handle.
func (s *Service) handle(r *httpstack.Request) (httpstack.Response, *Subscribe) {
	endpoint := s.route(r.Path)
	s.Count.request(endpoint)
	if err := s.admit(r); err != nil {
		return s.refuse(err), nil
	}
	origin, err := s.origin(r)
	if err != nil {
		return s.refuse(err), nil
	}
	response, sub := s.respond(r, endpoint, origin)
	response.Origin = origin
	if sub != nil {
		sub.Origin = origin
	}
	return response, sub
}

// respond is handle for an admitted request; origin is that of another site's page that may read the response.
func (s *Service) respond(r *httpstack.Request, endpoint endpoint, origin string) (httpstack.Response, *Subscribe) {
	if origin != "" && r.Method == "OPTIONS" { // Fetch, section 3.3.2: CORS-preflight request
		return s.finish(httpstack.Response{Status: 204, Allow: "GET, HEAD, POST"}), nil
	}
	switch endpoint {
	case publishEndpoint:
		return s.publish(r), nil
	case webhookEndpoint:
		return s.webhook(r), nil
	case statsEndpoint:
		return s.get(r, s.statsBody), nil
	case healthEndpoint:
		return s.get(r, healthBody), nil
	case unknownEndpoint:
		return s.refuse(errNotFound), nil
	}
	sub, err := s.subscribe(r, endpoint)
	if err != nil {
		return s.refuse(err), nil
	}
	return httpstack.Response{}, sub
}

// scheme returns the scheme of this server's URLs.
func (s *Service) scheme() string {
	if s.TLS != nil {
		return "https"
	}
	return "http"
}

// admit makes the check that is the same for every endpoint, before that of the origin.
func (s *Service) admit(r *httpstack.Request) *Error {
	if !s.hosts.Load().allow(r.Host) || r.Scheme != "" && r.Scheme != s.scheme() {
		return errUnknownHost
	}
	return nil
}

const topicsPrefix = "/v1/topics/"

func (s *Service) route(path string) endpoint {
	switch {
	case path == s.subs.path:
		return s.subs.endpoint
	case strings.HasPrefix(path, topicsPrefix):
		return publishEndpoint
	case path == "/v1/webhooks" && s.Webhooks != nil:
		return webhookEndpoint
	case path == "/v1/stats":
		return statsEndpoint
	case path == "/v1/healthz":
		return healthEndpoint
	}
	return unknownEndpoint
}

// refuse returns the response for an error.
func (s *Service) refuse(e *Error) httpstack.Response {
	return s.finish(httpstack.Response{Status: e.Status, Body: e.body(), Allow: e.allow, Version: e.version, Close: e.closes})
}

// finish adds the headers that depend on the state of the server.
func (s *Service) finish(r httpstack.Response) httpstack.Response {
	r.Close = r.Close || s.Closing()
	return r
}

func (s *Service) get(r *httpstack.Request, body func() []byte) httpstack.Response {
	if r.Method != "GET" && r.Method != "HEAD" {
		return s.refuse(errMethod("GET, HEAD"))
	}
	if r.Query != "" {
		return s.refuse(errUnknownParameter)
	}
	return s.finish(httpstack.Response{Status: 200, Body: body()})
}

func healthBody() []byte { return []byte(`{"status":"ok"}`) }

// publish appends the body to the topic in the path.
func (s *Service) publish(r *httpstack.Request) httpstack.Response {
	topic := r.Path[len(topicsPrefix):]
	if r.Query != "" && r.Method == "POST" {
		return s.refuse(errUnknownParameter)
	}
	if err := checkText(r); err != nil {
		return s.refuse(err)
	}
	seq, err := s.Publish(topic, r.Body)
	if err != nil {
		return s.refuse(err)
	}
	body := make([]byte, 0, len(topic)+40)
	body = append(body, `{"topic":"`...)
	body = append(body, topic...)
	body = append(body, `","seq":`...)
	body = append(strconv.AppendUint(body, seq, 10), '}')
	return s.finish(httpstack.Response{Status: 200, Body: body})
}

// checkText refuses a request that is not a POST of a text.
func checkText(r *httpstack.Request) *Error {
	switch {
	case r.Method != "POST":
		return errMethod("POST")
	case r.ContentEncoding != "" && !strings.EqualFold(r.ContentEncoding, "identity"):
		return errEncoding
	case !textual(r.ContentType):
		return errMediaType
	}
	return nil
}

// webhook registers a webhook, whose URL is the body.
func (s *Service) webhook(r *httpstack.Request) httpstack.Response {
	if err := checkText(r); err != nil {
		return s.refuse(err)
	}
	sub, refused := s.subscribe(r, webhookEndpoint)
	if refused != nil {
		return s.refuse(refused)
	}
	response, err := s.Webhooks(string(r.Body), sub)
	if err != nil {
		return s.Refuse(err)
	}
	return response
}

// Publish checks and appends a message, for every transport.
func (s *Service) Publish(topic string, data []byte) (seq uint64, _ *Error) {
	switch {
	case !hub.ValidTopic(topic):
		return 0, errBadTopic
	case len(data) > s.Limits.MaxPayload:
		return 0, errPayloadTooLarge
	case !hub.ValidData(data):
		return 0, errUTF8
	}
	seq, err := s.publisher(topic, data)
	if err != nil {
		return 0, errHubFull
	}
	return seq, nil
}

// textual reports whether a media type may have a payload. Forms may not: curl
// and browsers send them by accident.
func textual(mediaType string) bool {
	kind, parameters, _ := strings.Cut(strings.ToLower(mediaType), ";")
	switch strings.TrimSpace(kind) {
	case "", "text/plain", "application/json", "application/octet-stream":
	default:
		return false
	}
	charset := strings.Trim(strings.TrimSpace(parameters), `"`)
	return charset == "" || charset == "charset=utf-8" || charset == `charset="utf-8`
}

// Guard calls a handler and returns an error response if it panics, which neither
// fasthttp nor a detached goroutine would survive.
func (s *Service) Guard(handler func()) (failed *httpstack.Response) {
	defer func() {
		if p := recover(); p != nil {
			s.panicked(p)
			r := s.refuse(errInternal)
			failed = &r
		}
	}()
	handler()
	return nil
}

// A failer can end a subscription whose Wake panicked: nothing would wake it again.
type failer interface{ Fail() }

// GuardSubscription calls work of a subscription outside a handler, and ends the subscription if it panics.
func (s *Service) GuardSubscription(f failer, work func()) {
	if s.Guard(work) != nil {
		s.Guard(f.Fail)
	}
}

// panicked counts and logs what a handler or a waker panicked with.
func (s *Service) panicked(p any) {
	s.Count.Panics.Add(1)
	slog.Error("handler panicked", "panic", fmt.Sprintf("%q", fmt.Sprint(p)))
}

// NoContent returns the response to a poll without a message.
func (s *Service) NoContent() httpstack.Response {
	return s.finish(httpstack.Response{Status: 204, NoStore: true})
}

// Batch returns the response to a poll with messages.
func (s *Service) Batch(body []byte) httpstack.Response {
	return s.finish(httpstack.Response{Status: 200, Body: body, NoStore: true})
}

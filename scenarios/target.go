package scenarios

import (
	"bytes"
	"cmp"
	"crypto/x509"
	"fmt"
	"io"
	"io/fs"
	"math"
	"net"
	"net/netip"
	"net/url"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// A Target describes a server under test: how to start or reach it, how clients subscribe to topics over
// each of its transports, and how messages are published. It contains no code: templates and
// patterns are compiled once, and payloads are found by their own identity, whatever surrounds them.
type Target struct {
	Version int        `yaml:"version" json:"version" required:"true" min:"1" max:"1"` // version of the format: 1
	Name    TargetName `yaml:"name" json:"name" required:"true"`                       // name in reports: [a-z0-9][a-z0-9_-]{0,63}
	About   string     `yaml:"about,omitempty" json:"about"`                           // the server in a sentence: product, version, source of its protocol

	URL   string        `yaml:"url,omitempty" json:"url" pattern:"^https?://[!-~]{1,400}$" allowed:"http://host:port, https://host:port"` // of a server that is running already; default: the server is started, see start
	Start TargetStart   `yaml:"start,omitempty" json:"start"`                                                                             // starts the server; default: it is running already, see url
	CA    string        `yaml:"ca,omitempty" json:"ca"`                                                                                   // PEM file of the authorities that a url of the scheme https trusts, relative to the target file; default: those of the system
	Cost  TargetCost    `yaml:"cost,omitempty" json:"cost" min:"1"`                                                                       // where the CPU time and memory of a running server are read; default: they are not measured
	Login []HeaderField `yaml:"login,omitempty" json:"login" items:"8" allowed:"header fields"`                                           // header fields of every request, unless its headers have a field of that name; values of {env:NAME} are never written to a run folder; default none

	LoginFile string `yaml:"login_file,omitempty" json:"login_file" pattern:"^[^\\x00-\\x1f]{1,400}$" allowed:"the path of a file"` // file with a line per client, for which {login} stands in its templates, relative to the target file; its text is never written to a run folder; default none

	Transports TargetTransports `yaml:"transports" json:"transports" required:"true" min:"1"` // how clients subscribe
	Publish    TargetPublish    `yaml:"publish" json:"publish" required:"true" min:"1"`       // how messages are published
	Promises   Promises         `yaml:"promises,omitempty" json:"promises"`                   // which losses are failures of the server

	Source []byte   `yaml:"-" json:"-"` // the text of the file
	Logins []string `yaml:"-" json:"-"` // the lines of login_file: see ReadLogins
	Path   string   `yaml:"-" json:"-"` // absolute path of the file; "": it is in no file

	Authorities []byte `yaml:"-" json:"-"` // content of ca
	Address     string `yaml:"-" json:"-"` // of the running server, if load may go to it: see package consent; "": not known
}

// TargetStart starts a server. Its process and all descendants are billed.
type TargetStart struct {
	Programs []string   `yaml:"programs,omitempty" json:"programs" items:"16" pattern:"^[!-~]{1,200}$" allowed:"names of programs and absolute paths of files"` // programs, or absolute paths of files, that must be installed; default none
	Install  []Template `yaml:"install,omitempty" json:"install" items:"64" repeats:"true" pattern:"^[^\\x00]+$" allowed:"words of a command line"`             // command that installs the programs if one is missing; only pushbench target install runs it; default none
	Build    []Template `yaml:"build,omitempty" json:"build" items:"64" repeats:"true" pattern:"^[^\\x00]+$" allowed:"words of a command line"`                 // command that builds or installs the server, once before the first measurement; default none
	Run      []Template `yaml:"run" json:"run" required:"true" items:"64" repeats:"true" pattern:"^[^\\x00]+$" allowed:"words of a command line"`               // program and arguments; {port} is a free TCP port of the loopback address
	Folder   string     `yaml:"folder,omitempty" json:"folder"`                                                                                                 // working directory, relative to the target file; default: the folder of the target file
	Env      []Template `yaml:"env,omitempty" json:"env" items:"32" pattern:"^[^=\\x00]+=[^\\x00]*$" allowed:"NAME=value"`                                      // additional environment variables
	Log      Expression `yaml:"log,omitempty" json:"log"`                                                                                                       // the server is ready when a line of its output matches; default: when its port accepts connections
	Get      Template   `yaml:"get,omitempty" json:"get" pattern:"^/[!-~]{0,1000}$" allowed:"a path that starts with /"`                                        // the server is ready when this path returns a status below 400
	Within   Duration   `yaml:"within,omitempty" json:"within" default:"10s" min:"100ms" max:"10m"`                                                             // longest time until ready; default 10s
}

// TargetCost says where the CPU time and memory of a running server are read.
type TargetCost struct {
	PID        int    `yaml:"pid,omitempty" json:"pid" min:"1" max:"4194304"`                                                         // process on this machine, billed with its descendants
	Prometheus string `yaml:"prometheus,omitempty" json:"prometheus" pattern:"^http://[!-~]{1,400}$" allowed:"http://host:port/path"` // page of the host of url with process_cpu_seconds_total and process_resident_memory_bytes
}

// TargetTransports are the transports that a server offers.
type TargetTransports struct {
	ShortPoll  PollTarget   `yaml:"shortpoll,omitempty" json:"shortpoll"`
	LongPoll   PollTarget   `yaml:"longpoll,omitempty" json:"longpoll"`
	SSE        StreamTarget `yaml:"sse,omitempty" json:"sse"`
	HTTPStream StreamTarget `yaml:"httpstream,omitempty" json:"httpstream"`
	WebSocket  SocketTarget `yaml:"websocket,omitempty" json:"websocket"`
}

// A PollTarget describes requests that each return the messages since the last one: GETs, or POSTs with a body.
type PollTarget struct {
	Steps   []RequestStep `yaml:"steps,omitempty" json:"steps" items:"64" repeats:"true" allowed:"of {get: …} or {post: …}"`                       // requests before the first poll, one after another on the client's connection; a step with {topic}, and those up to the next post, are repeated for each topic; default none
	Path    Template      `yaml:"path" json:"path" required:"true" pattern:"^/[!-~]{0,1000}$" allowed:"a path that starts with /, without spaces"` // of each poll; {topic} is the topic, {cursor} the position after the last message
	Headers []HeaderField `yaml:"headers,omitempty" json:"headers" items:"16" allowed:"header fields"`                                             // a field whose value has an unknown {name} is not sent; default none
	Body    Template      `yaml:"body,omitempty" json:"body"`                                                                                      // of each poll, which is a POST then; default: a poll is a GET
	Next    []NextValue   `yaml:"next,omitempty" json:"next" items:"8" repeats:"true" allowed:"of {header: …, as: …} or {body: …}"`                // values of a response for the next poll; default none
	Empty   []int         `yaml:"empty,omitempty" json:"empty" items:"8" min:"200" max:"499" allowed:"HTTP status codes"`                          // status codes of a response without messages; default 204 and 304

	Heartbeat PollHeartbeat `yaml:"heartbeat,omitempty" json:"heartbeat" min:"1"`                                                       // a record that requests a reply; default none
	Split     string        `yaml:"split,omitempty" json:"split" pattern:"(?s)^.{1,4}$" allowed:"1 to 4 characters, such as \"\\x1e\""` // separates several records in a response, to which expect and heartbeat apply; default: a response is a record
}

// A NextValue takes a value from a response into the next poll.
type NextValue struct {
	Header string     `yaml:"header,omitempty" json:"header" pattern:"^[!#$%&'*+.^_|~0-9A-Za-z-]{1,100}$" allowed:"the name of a header field"`  // the value of this header field
	As     string     `yaml:"as,omitempty" json:"as" pattern:"^[a-z][a-z0-9_]{0,31}$" allowed:"a name for templates: 1 to 32 of a-z, 0-9 and _"` // its name in templates
	First  string     `yaml:"first,omitempty" json:"first" pattern:"^[!-~]{1,200}$" allowed:"at most 200 visible ASCII characters"`              // its value before the first response; default none. With body: of every named group
	Body   Expression `yaml:"body,omitempty" json:"body"`                                                                                        // the named groups of a match in the body
}

// A StreamTarget describes a response without end, to a GET or to a POST with a body: Server-Sent Events or lines. The id of the last event is
// sent as Last-Event-ID when a client reconnects.
type StreamTarget struct {
	Steps   []RequestStep `yaml:"steps,omitempty" json:"steps" items:"64" repeats:"true" allowed:"of {get: …} or {post: …}"`                       // requests before that of the stream, on its connection; a step with {topic}, and those up to the next post, are repeated for each topic; default none
	Path    Template      `yaml:"path" json:"path" required:"true" pattern:"^/[!-~]{0,1000}$" allowed:"a path that starts with /, without spaces"` // of the request; {topic} is the topic
	Headers []HeaderField `yaml:"headers,omitempty" json:"headers" items:"16" allowed:"header fields"`                                             // default none; Accept: text/event-stream is sent for sse, unless given
	Body    Template      `yaml:"body,omitempty" json:"body"`                                                                                      // of the request, which is a POST then; default: the request is a GET
	Next    []NextValue   `yaml:"next,omitempty" json:"next" items:"8" repeats:"true" allowed:"of {body: …}"`                                      // values of an event or a line for the next request; default none
	Ready   Expression    `yaml:"ready,omitempty" json:"ready"`                                                                                    // the client is subscribed when an event or a line matches; default: when the header of the response is complete
}

// A SocketTarget describes a WebSocket.
type SocketTarget struct {
	Path        Template      `yaml:"path" json:"path" required:"true" pattern:"^/[!-~]{0,1000}$" allowed:"a path that starts with /, without spaces"`                      // of the upgrade; {topic} is the topic
	Headers     []HeaderField `yaml:"headers,omitempty" json:"headers" items:"16" allowed:"header fields"`                                                                  // default none
	Subprotocol string        `yaml:"subprotocol,omitempty" json:"subprotocol" pattern:"^[!#$%&'*+.^_|~0-9A-Za-z-]{1,100}$" allowed:"a token such as graphql-transport-ws"` // offered in the upgrade, and expected in its response; default none
	Binary      bool          `yaml:"binary,omitempty" json:"binary"`                                                                                                       // send binary frames: each character of a template, U+0000 to U+00FF, is a byte; {topic_u16} is the topic after its length in two bytes, {rest} the length of what follows as a variable byte integer (MQTT); default false
	Steps       []Step        `yaml:"steps,omitempty" json:"steps" items:"64" repeats:"true" allowed:"of {expect: …} or {send: …}"`                                         // until the client is subscribed; a step with {topic}, and those up to the next send, are repeated for each topic; default none
	Next        []NextValue   `yaml:"next,omitempty" json:"next" items:"8" repeats:"true" allowed:"of {body: …}"`                                                           // values of a record for the steps of the next connection, such as the position after the last message; default none
	Heartbeat   Heartbeat     `yaml:"heartbeat,omitempty" json:"heartbeat" min:"1"`                                                                                         // a message of the protocol that keeps the connection open; default: pings of WebSocket only
	Split       string        `yaml:"split,omitempty" json:"split" pattern:"(?s)^.{1,4}$" allowed:"1 to 4 characters, such as \"\\x1e\""`                                   // separates several records in a frame; default: a frame is a record
}

// A Step is something that a client sends or waits for, before it is subscribed.
type Step struct {
	Expect Expression `yaml:"expect,omitempty" json:"expect"` // a record that matches ends this step; its named groups are values for later templates
	Send   Template   `yaml:"send,omitempty" json:"send"`     // a text frame
}

// A Heartbeat is a reply to a record of the server, or what a client sends at intervals.
type Heartbeat struct {
	When  Expression `yaml:"when,omitempty" json:"when"`                       // records that request a reply
	Every Duration   `yaml:"every,omitempty" json:"every" min:"10ms" max:"1h"` // time between heartbeats of a subscribed client
	Send  Template   `yaml:"send" json:"send" required:"true"`                 // a text frame
}

// TargetPublish describes one publication: a POST of a backend, or a frame on a client's WebSocket.
type TargetPublish struct {
	Create   CreateTopic   `yaml:"create,omitempty" json:"create" min:"1"`                                                                                          // request that creates a topic, before the clients connect; default none
	Post     Template      `yaml:"post,omitempty" json:"post" pattern:"^/[!-~]{0,1000}$" allowed:"a path that starts with /, without spaces"`                       // path of the POST
	Headers  []HeaderField `yaml:"headers,omitempty" json:"headers" items:"16" allowed:"header fields"`                                                             // of the POST; default Content-Type: text/plain; charset=utf-8
	Body     Template      `yaml:"body,omitempty" json:"body"`                                                                                                      // of the POST; must contain {payload}; default {payload}
	OK       []int         `yaml:"ok,omitempty" json:"ok" items:"8" min:"200" max:"299" allowed:"HTTP status codes, 200 … 299"`                                     // status codes of an acceptance; default 200 to 299
	Expect   Expression    `yaml:"expect,omitempty" json:"expect"`                                                                                                  // what the response to the POST must match, for a server that reports errors in it with a status of success; default: anything
	Computed []Computed    `yaml:"computed,omitempty" json:"computed" items:"8" repeats:"true" allowed:"of {name: …, md5: …} or {name: …, hmac_sha256: …, key: …}"` // hashes for the path and the headers of the POST, such as a signature; their texts may contain {body} and {time}; default none

	Frame Template   `yaml:"frame,omitempty" json:"frame"` // a text frame on the WebSocket of a subscribed client; {id} is the number of the publication
	Ack   Expression `yaml:"ack,omitempty" json:"ack"`     // the record that acknowledges a frame, in the order of the frames; default: frames are not acknowledged
}

// CreateTopic describes a PUT that creates a topic.
type CreateTopic struct {
	Put     Template      `yaml:"put" json:"put" required:"true" pattern:"^/[!-~]{0,1000}$" allowed:"a path that starts with /, without spaces"` // path of the request
	Headers []HeaderField `yaml:"headers,omitempty" json:"headers" items:"16" allowed:"header fields"`                                           // default none
}

// Promises are what the server promises. All are optional. A run refuses a server that breaks a stated promise when
// it is verified; what is not stated, a run counts.
type Promises struct {
	Order    Order       `yaml:"order,omitempty" json:"order"`       // default: not stated
	Resume   []Transport `yaml:"resume,omitempty" json:"resume"`     // transports over which a client receives what was published while it was not connected; default none
	Delivery Attempts    `yaml:"delivery,omitempty" json:"delivery"` // default: not stated
}

// An Order is the order in which a server delivers.
type Order string

// PerTopic keeps the order of the messages of each topic. Unordered keeps none.
const (
	PerTopic  Order = "per_topic"
	Unordered Order = "none"
)

// Attempts are how often a server delivers a message.
type Attempts string

// AtMostOnce may lose messages, AtLeastOnce may deliver one several times.
const (
	AtMostOnce  Attempts = "at_most_once"
	AtLeastOnce Attempts = "at_least_once"
)

// A TargetName is the name of a target.
type TargetName string

// ReferenceTarget names the servers of pushbench.
const ReferenceTarget TargetName = "reference"

// offers reports whether a target has a transport. Without its file, which a scenario does not contain, it has
// all.
func (s *Scenario) offers(name TargetName, transport Transport) bool {
	t := s.Targets[name]
	return t == nil || t.Offers(transport)
}

// TargetOf returns the file of the target that a configuration measures; nil: pushbench's own servers.
func (s *Scenario) TargetOf(c Configuration) *Target { return s.Targets[c.Target] }

// Offers reports whether a server has a transport.
func (t *Target) Offers(transport Transport) bool { return slices.Contains(t.Offered(), transport) }

// Offered lists the transports of a server, in report order.
func (t *Target) Offered() (all []Transport) {
	for _, transport := range AllTransports {
		if path, _ := t.Transports.path(transport); path != "" {
			all = append(all, transport)
		}
	}
	return all
}

func (t *TargetTransports) path(transport Transport) (path Template, headers []HeaderField) {
	switch transport {
	case "shortpoll":
		return t.ShortPoll.Path, t.ShortPoll.Headers
	case "longpoll":
		return t.LongPoll.Path, t.LongPoll.Headers
	case "sse":
		return t.SSE.Path, t.SSE.Headers
	case "httpstream":
		return t.HTTPStream.Path, t.HTTPStream.Headers
	case "websocket":
		return t.WebSocket.Path, t.WebSocket.Headers
	}
	return "", nil
}

var targetRules = sync.OnceValue(func() *Rule { return newRule(reflect.TypeFor[Target](), "") })

// TargetRules returns the rule of a target file.
func TargetRules() *Rule { return targetRules() }

// ReadTarget reads a target file. It is as strict as Read, and its errors are also of type *Error.
func ReadTarget(name string, r io.Reader) (*Target, error) {
	source, err := io.ReadAll(io.LimitReader(r, maxBytes+1))
	if err != nil {
		return nil, unreadable(name, err)
	}
	d, err := newDocument(name, bytes.NewReader(source))
	if err != nil {
		return nil, err
	}
	t := &Target{Source: source}
	targetRules().fill(reflect.ValueOf(t).Elem())
	if err := d.decode(targetRules(), t); err != nil {
		return nil, err
	}
	if c := t.validate(); c != nil {
		return nil, d.conflict(c)
	}
	return t, nil
}

// LoadTarget reads the target file at a path.
func LoadTarget(path string) (*Target, error) {
	file, err := open(path, &Error{File: path, Message: "does not exist; allowed: the path of a target file", cause: fs.ErrNotExist})
	if err != nil {
		return nil, err
	}
	defer file.Close()
	t, err := ReadTarget(path, file)
	if err != nil {
		return nil, err
	}
	if t.Path, err = filepath.Abs(path); err != nil {
		return nil, &Error{File: path, Message: "has no absolute path: " + err.Error(), cause: err}
	}
	if t.CA != "" {
		if err := t.readAuthorities(); err != nil {
			return nil, &Error{File: path, Message: "ca: " + err.Error(), cause: err}
		}
	}
	return t, nil
}

// beside is the path of a file that the target file names, relative to itself.
func (t *Target) beside(path string) string {
	if filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(filepath.Dir(t.Path), path)
}

// readAuthorities reads the file of ca.
func (t *Target) readAuthorities() error {
	file, err := open(t.beside(t.CA), &Error{File: t.CA, Message: "does not exist; allowed: a PEM file, relative to the target file", cause: fs.ErrNotExist})
	if err != nil {
		return err
	}
	defer file.Close()
	if t.Authorities, err = io.ReadAll(io.LimitReader(file, maxBytes+1)); err != nil {
		return unreadable(t.CA, err)
	}
	if len(t.Authorities) > maxBytes {
		return fmt.Errorf("%s is larger than 1 MiB, the limit for a file", t.CA)
	}
	if !x509.NewCertPool().AppendCertsFromPEM(t.Authorities) {
		return fmt.Errorf("%s has no certificate; allowed: a PEM file with BEGIN CERTIFICATE", t.CA)
	}
	return nil
}

// validate returns the first unmet condition between fields.
func (t *Target) validate() *conflict {
	started := len(t.Start.Run) > 0
	switch {
	case t.CA != "" && !t.Secured():
		return &conflict{field: "ca", value: t.CA, message: "is given without TLS; allowed: together with a url of the scheme https"}
	case started && t.URL != "":
		return &conflict{field: "url", value: t.URL, message: "is given together with start; allowed: one of them"}
	case !started && t.URL == "":
		return &conflict{field: "url", message: "is missing; allowed: url of a running server, or start"}
	case t.URL != "":
		if c := t.address(); c != nil {
			return c
		}
	}
	if c := cmp.Or(t.start(), t.billing()); c != nil {
		return c
	}
	if c := unknownIn(inFields("login", t.Login), t.perClient()[1:]); c != nil {
		return c
	}
	for _, transport := range t.Offered() {
		if c := t.transport(transport); c != nil {
			return c
		}
	}
	return t.publish()
}

func (t *Target) address() *conflict {
	u, err := url.Parse(t.URL)
	if err != nil || u.Hostname() == "" || u.Path != "" && u.Path != "/" || u.RawQuery != "" || u.Fragment != "" || u.User != nil {
		return &conflict{field: "url", value: t.URL, message: "is not an address; allowed: http://host:port or https://host:port without a path; paths belong to transports and publish"}
	}
	if port, err := strconv.Atoi(cmp.Or(u.Port(), defaultPort(u))); err != nil || port < 1 || port > math.MaxUint16 {
		return &conflict{field: "url", value: t.URL, message: "has the port " + u.Port() + "; allowed: 1 to 65535"}
	}
	return nil
}

// defaultPort is the port of a url without one.
func defaultPort(u *url.URL) string {
	if u.Scheme == "https" {
		return "443"
	}
	return "80"
}

// Secured reports whether a running server has TLS; false for nil.
func (t *Target) Secured() bool { return t != nil && strings.HasPrefix(t.URL, "https://") }

// Running reports whether a server is running already.
func (t *Target) Running() bool { return t.URL != "" }

// Host is the host of the url, exactly as the file has it; "": the server is started on this machine.
func (t *Target) Host() string {
	u, err := url.Parse(t.URL)
	if err != nil {
		return "" // the reader has refused it
	}
	return u.Hostname()
}

// Authority is host:port of the url; "": the server is started.
func (t *Target) Authority() string {
	u, err := url.Parse(t.URL)
	if err != nil || t.URL == "" {
		return ""
	}
	return net.JoinHostPort(u.Hostname(), cmp.Or(u.Port(), defaultPort(u)))
}

// Remote reports whether the url may name another host: any host but localhost and a loopback address. A name is
// not looked up.
func (t *Target) Remote() bool {
	ip, err := netip.ParseAddr(t.Host())
	return t.URL != "" && t.Host() != "localhost" && (err != nil || !ip.Unmap().IsLoopback())
}

// AnyTarget reports whether a property holds for any target of a scenario.
func (s *Scenario) AnyTarget(has func(*Target) bool) bool {
	return slices.ContainsFunc(s.Sweep.Target, func(name TargetName) bool { return s.Targets[name] != nil && has(s.Targets[name]) })
}

// billing checks where the cost of a running server is read.
func (t *Target) billing() *conflict {
	switch {
	case t.Cost == TargetCost{}:
		return nil
	case t.URL == "":
		return &conflict{field: "cost", message: "is given together with start; allowed: together with url, as a started server is measured anyway"}
	case t.Cost.PID != 0 && t.Cost.Prometheus != "":
		return &conflict{field: "cost.prometheus", message: "is given together with pid; allowed: one of them"}
	case t.Cost.PID != 0 && t.Remote():
		return &conflict{field: "cost.pid", message: "is a process on this machine, and url names another host; allowed: prometheus"}
	case t.Cost.PID != 0:
		return nil
	}
	u, err := url.Parse(t.Cost.Prometheus)
	if err != nil || u.Hostname() != t.Host() || u.User != nil {
		return &conflict{field: "cost.prometheus", value: t.Cost.Prometheus, message: "is not a page of the host of url; allowed: http://" + t.Host() + ":PORT/PATH"}
	}
	return nil
}

func (t *Target) start() *conflict {
	if len(t.Start.Install) > 0 && len(t.Start.Programs) == 0 {
		return &conflict{field: "start.install", message: "is given without programs; allowed: together with the programs that it installs"}
	}
	if filepath.IsAbs(t.Start.Folder) {
		return &conflict{field: "start.folder", value: t.Start.Folder, message: "is an absolute path; allowed: a path relative to the target file"}
	}
	if t.Start.Log != "" && t.Start.Get != "" {
		return &conflict{field: "start.get", message: "is given together with log; allowed: one of them"}
	}
	port := []string{"port"}
	hasPort := func(word Template) bool { return word.Has("port") }
	if len(t.Start.Run) > 0 && !slices.ContainsFunc(t.Start.Run, hasPort) && !slices.ContainsFunc(t.Start.Env, hasPort) {
		return &conflict{field: "start.run", message: "never names {port}; allowed: {port} in run or env, the port on which the server must listen"}
	}
	for _, part := range []struct {
		field string
		all   []Template
		known []string
	}{{"start.install", t.Start.Install, nil}, {"start.build", t.Start.Build, nil}, {"start.run", t.Start.Run, port}, {"start.env", t.Start.Env, port}, {"start.get", []Template{t.Start.Get}, port}} {
		for _, one := range part.all {
			if name, unknown := one.unknownName(part.known); unknown {
				return unknownPlaceholder(part.field, name, part.known)
			}
		}
	}
	return nil
}

// Unset returns the first environment variable that the start of a server uses and env does not have.
func (s *TargetStart) Unset(env func(string) (string, bool)) (name string, unset bool) {
	for _, word := range slices.Concat(s.Build, s.Run, s.Env, []Template{s.Get}) {
		for _, n := range word.Names() {
			variable, fromEnv := strings.CutPrefix(n, "env:")
			if _, set := env(variable); fromEnv && !set {
				return variable, true
			}
		}
	}
	return "", false
}

// unknownPlaceholder is the conflict of a template with a name that has no value.
func unknownPlaceholder(field, name string, known []string) *conflict {
	allowed := make([]string, 0, len(known)+1)
	for _, k := range known {
		allowed = append(allowed, "{"+k+"}")
	}
	return &conflict{field: field, message: fmt.Sprintf("has the placeholder {%s}, which has no value there; allowed: %s", name, strings.Join(append(allowed, "{env:NAME}"), ", "))}
}

// transport checks the templates of a transport.
func (t *Target) transport(transport Transport) *conflict {
	field := "transports." + string(transport)
	known := append([]string{"topic", "topics"}, t.perClient()...)
	steps, next := t.Transports.requests(transport)
	for i, one := range steps {
		if c := one.validate(fmt.Sprintf("%s.steps[%d]", field, i), &known); c != nil {
			return c
		}
	}
	polls := t.Transports.polls(transport).Path != ""
	for i, n := range next {
		if !polls && n.Header != "" {
			return &conflict{field: fmt.Sprintf("%s.next[%d].header", field, i), value: n.Header, message: "is not in an event, a line or a record; allowed: body"}
		}
		if c := n.validate(fmt.Sprintf("%s.next[%d]", field, i)); c != nil {
			return c
		}
		known = append(known, n.names()...)
	}
	path, headers := t.Transports.path(transport)
	checks := []textCheck{{field + ".path", path}, {field + ".body", t.Transports.body(transport)}}
	checks = append(checks, inFields(field+".headers", headers)...)
	if beat := t.Transports.polls(transport).Heartbeat; beat.When != "" {
		checks = append(checks, textCheck{field + ".heartbeat.post", beat.Post}, textCheck{field + ".heartbeat.body", beat.Body})
		checks = append(checks, inFields(field+".heartbeat.headers", beat.Headers)...)
	}
	if c := unknownIn(checks, known); c != nil {
		return c
	}
	if transport == "websocket" {
		return t.socket(field, known)
	}
	return nil
}

// requests returns the requests that a transport makes before the first poll or the stream, and the values of a response
// for the next request.
func (t *TargetTransports) requests(transport Transport) ([]RequestStep, []NextValue) {
	switch transport {
	case "sse":
		return t.SSE.Steps, t.SSE.Next
	case "httpstream":
		return t.HTTPStream.Steps, t.HTTPStream.Next
	case "websocket":
		return nil, t.WebSocket.Next
	default:
		p := t.polls(transport)
		return p.Steps, p.Next
	}
}

// body returns the body of a poll or of the request of a stream; "": the request is a GET.
func (t *TargetTransports) body(transport Transport) Template {
	switch transport {
	case "sse":
		return t.SSE.Body
	case "httpstream":
		return t.HTTPStream.Body
	default:
		return t.polls(transport).Body
	}
}

// polls returns how a transport polls; it is empty for others.
func (t *TargetTransports) polls(transport Transport) (none PollTarget) {
	switch transport {
	case "shortpoll":
		return t.ShortPoll
	case "longpoll":
		return t.LongPoll
	}
	return none
}

// validate checks that a value is described completely.
func (n NextValue) validate(field string) *conflict {
	switch {
	case (n.Header == "") == (n.Body == "") || (n.Header == "") != (n.As == ""):
		return &conflict{field: field, message: "is not one value; allowed: header and as, or body"}
	case slices.Contains(ownNames, n.As):
		return &conflict{field: field + ".as", value: n.As, message: "is a placeholder whose value pushbench gives; allowed: any name but " + strings.Join(ownNames, ", ")}
	case n.Body != "" && len(n.Body.Groups()) == 0:
		return &conflict{field: field + ".body", message: `has no named group; allowed: an expression such as '"offset":(?P<offset>[0-9]+)'`}
	}
	return nil
}

// names lists the placeholders that a value is for.
func (n NextValue) names() []string { return append(n.Body.Groups(), strings.Fields(n.As)...) }

// socket checks the steps of a WebSocket.
func (t *Target) socket(field string, known []string) *conflict {
	w := t.Transports.WebSocket
	if w.Binary {
		known = append(known, binaryNames...)
	}
	topics := w.Path.Has("topic") || w.Path.Has("topics")
	for i, s := range w.Steps {
		here := fmt.Sprintf("%s.steps[%d]", field, i)
		switch {
		case (s.Expect == "") == (s.Send == ""):
			return &conflict{field: here, message: "is not one step; allowed: expect or send"}
		case s.Expect != "":
			known = append(known, s.Expect.Groups()...)
			continue
		}
		if name, unknown := s.Send.unknownName(known); unknown {
			return unknownPlaceholder(here+".send", name, known)
		}
		topics = topics || s.Send.Has("topic") || s.Send.Has("topic_u16")
	}
	if !topics {
		return &conflict{field: field, message: "never names the topic; allowed: {topic} in path or in a step's send"}
	}
	if beat := w.Heartbeat; beat.Send != "" && (beat.When == "") == (beat.Every == 0) {
		return &conflict{field: field + ".heartbeat", message: "is not one occasion; allowed: when or every"}
	}
	if name, unknown := w.Heartbeat.Send.unknownName(known); unknown {
		return unknownPlaceholder(field+".heartbeat.send", name, known)
	}
	return nil
}

// publish checks how messages are published.
func (t *Target) publish() *conflict {
	p := t.Publish
	switch {
	case p.Post == "" && p.Frame == "":
		return &conflict{field: "publish", message: "has no way to publish; allowed: post or frame"}
	case p.Post == "" && (p.Body != "" || len(p.Headers) > 0 || len(p.OK) > 0 || p.Expect != "" || len(p.Computed) > 0):
		return &conflict{field: "publish", message: "has a body, headers, ok, expect or computed without post; allowed: together with post"}
	case p.Frame == "" && p.Ack != "":
		return &conflict{field: "publish.ack", message: "is given without frame; allowed: together with frame"}
	case p.Frame != "" && t.Transports.WebSocket.Path == "":
		return &conflict{field: "publish.frame", message: "is given without transports.websocket; allowed: together with it"}
	case p.Frame != "" && !p.Frame.Has("payload"):
		return &conflict{field: "publish.frame", message: "does not contain {payload}; allowed: a text with {payload}"}
	case p.Body != "" && !p.Body.Has("payload"):
		return &conflict{field: "publish.body", message: "does not contain {payload}; allowed: a text with {payload}"}
	}
	if name, unknown := p.Create.Put.unknownName([]string{"topic"}); unknown {
		return unknownPlaceholder("publish.create.put", name, []string{"topic"})
	}
	known := append([]string{"topic", "payload", "size", "id"}, t.perClient()...)
	if c := unknownIn([]textCheck{{"publish.body", p.Body}}, known); c != nil {
		return c
	}
	if c := p.computed(); c != nil {
		return c
	}
	return unknownIn([]textCheck{{"publish.frame", p.Frame}}, append(known, t.captures()...))
}

// computed checks the values that are computed for a POST, and where they are used.
func (p *TargetPublish) computed() *conflict {
	names, usable := []string{"topic", "id", "time", "payload", "size", "body"}, []string{"topic", "id", "time"}
	for i, one := range p.Computed {
		if c := one.validate(fmt.Sprintf("publish.computed[%d]", i), &names); c != nil {
			return c
		}
		usable = append(usable, one.Name)
	}
	return unknownIn(append(inFields("publish.headers", p.Headers), textCheck{"publish.post", p.Post}), usable)
}

// binaryNames are the placeholders of binary frames.
var binaryNames = []string{"topic_u16", "rest"}

// captures lists the named groups of the steps of a WebSocket.
func (t *Target) captures() (names []string) {
	if t.Transports.WebSocket.Binary {
		names = append(names, binaryNames...)
	}
	for _, s := range t.Transports.WebSocket.Steps {
		names = append(names, s.Expect.Groups()...)
	}
	return names
}

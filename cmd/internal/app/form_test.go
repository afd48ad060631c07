package app

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"pushbench/bench/identify"
	"pushbench/scenarios"
	"pushbench/servers/foreign"
)

// accepted reads a target file as strictly as the command.
func accepted(t *testing.T, text string) *scenarios.Target {
	t.Helper()
	one, err := scenarios.ReadTarget("form.yaml", strings.NewReader(text))
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	return one
}

func TestBlankFormIsAccepted(t *testing.T) {
	one := accepted(t, form)
	if one.Name != "mine" || !slices.Equal(one.Offered(), []scenarios.Transport{"websocket"}) || len(marked(form)) < 6 {
		t.Errorf("got %+v, marked %v", one, marked(form))
	}
}

// optional matches a line of the form that is an optional field.
var optional = regexp.MustCompile(`^(\s*)# ([ #]*(?:- )?[a-z]+:)`)

// exclusive matches the optional fields that another field of the form excludes.
var exclusive = regexp.MustCompile(`^(# url|# ca|# cost|  # get|    #   # every):`)

// With all other optional fields the form is accepted as well.
func TestFormWithAllOptionalFieldsIsAccepted(t *testing.T) {
	var b strings.Builder
	for line := range strings.Lines(form) {
		for optional.MatchString(line) && !exclusive.MatchString(line) {
			line = optional.ReplaceAllString(line, "$1$2")
		}
		b.WriteString(line)
	}
	if one := accepted(t, b.String()); len(one.Offered()) != 5 || one.Publish.Post == "" || len(one.Promises.Resume) != 1 {
		t.Errorf("got %+v", one)
	}
}

// The form has each field that a target file can have, with an explanation or an example.
func TestFormHasEveryField(t *testing.T) {
	has := func(name string) bool {
		return regexp.MustCompile(`(?m)[\s{]` + name + `:`).MatchString("\n" + form)
	}
	var check func(prefix string, r *scenarios.Rule)
	check = func(prefix string, r *scenarios.Rule) {
		for _, field := range r.Fields {
			if !has(field.Name) {
				t.Errorf("form.yaml does not have %s%s", prefix, field.Name)
			}
			check(prefix+field.Name+".", field)
		}
		if r.Item != nil {
			check(prefix, r.Item)
		}
	}
	check("", scenarios.TargetRules())
}

// For each target that ships with pushbench, a server that speaks its protocol gets its transports and publications.
func TestFormAdoptsShippedTargets(t *testing.T) {
	for _, name := range foreign.Names() {
		source, err := foreign.Source(name)
		if err != nil {
			t.Fatal(err)
		}
		shipped := accepted(t, string(source))
		text, err := fillForm("http://127.0.0.1:3000", "/", identify.Server{Socket: string(shipped.Transports.WebSocket.Path), Dialect: identify.Dialect{Target: name}})
		if err != nil {
			t.Fatal(err)
		}
		got := accepted(t, text)
		if got.URL != "http://127.0.0.1:3000" || len(got.Start.Run) != 0 {
			t.Errorf("%s: got url %q, start %v", name, got.URL, got.Start)
		}
		if a, b := fmt.Sprint(got.Transports, got.Publish, got.Promises), fmt.Sprint(shipped.Transports, shipped.Publish, shipped.Promises); a != b {
			t.Errorf("%s: got  %s\nwant %s", name, a, b)
		}
	}
}

// A file has what a server of an unknown protocol does.
func TestFormDescribesUnknownServers(t *testing.T) {
	for _, c := range []struct {
		path  string
		found identify.Server
		want  string // transport and its path
		frame bool   // messages are published in frames
	}{
		{"/rooms/it's?v={topic}", identify.Server{Socket: "/rooms/it's?v=pushbench"}, "websocket /rooms/it's?v={topic}", true},
		{"/", identify.Server{Socket: "/cable"}, "websocket /cable", true},
		{"/live?t={topic}", identify.Server{Events: true}, "sse /live?t={topic}", false},
		{"/", identify.Server{}, "websocket /chat", true},
		{"/", identify.Server{Socket: "/", Dialect: identify.Dialect{Target: "unheard-of"}}, "websocket /", true},
	} {
		text, err := fillForm("http://[::1]:80", c.path, c.found)
		if err != nil {
			t.Fatal(err)
		}
		got := accepted(t, text)
		path := map[scenarios.Transport]scenarios.Template{"websocket": got.Transports.WebSocket.Path, "sse": got.Transports.SSE.Path}
		var all []string
		for _, transport := range got.Offered() {
			all = append(all, fmt.Sprintf("%s %s", transport, path[transport]))
		}
		if strings.Join(all, ", ") != c.want || (got.Publish.Frame != "") != c.frame || (got.Publish.Post == "") != c.frame {
			t.Errorf("got %v, publish %+v; want %s", all, got.Publish, c.want)
		}
	}
}

// Another path than the usual one replaces it in the adopted file.
func TestFormKeepsThePathOfTheUser(t *testing.T) {
	text, err := fillForm("http://127.0.0.1:80", "/v2/graphql", identify.Server{Socket: "/v2/graphql", Dialect: identify.Dialect{Target: "graphqlws"}})
	if err != nil {
		t.Fatal(err)
	}
	if got := accepted(t, text).Transports.WebSocket; got.Path != "/v2/graphql" || got.Subprotocol != "graphql-transport-ws" {
		t.Errorf("got %+v", got)
	}
	all := marked(text)
	lines := strings.Split(text, "\n")
	for _, n := range all {
		if !strings.Contains(lines[n-1], "# CHANGE:") {
			t.Errorf("line %d is not marked: %s", n, lines[n-1])
		}
	}
	if len(all) != 4 { // name, about, transports, publish
		t.Errorf("marked %v in\n%s", all, text)
	}
}

// Every path of a URL gives a file that is accepted, or differs from it only in unknown placeholders.
func FuzzFillForm(f *testing.F) {
	f.Add("/a'b?x={topic}", "/a'b", false, "")
	f.Add("/", "/graphql", true, "graphqlws")
	f.Add("/?\x88=ü", "/", true, "")
	f.Fuzz(func(t *testing.T, path, socket string, events bool, target string) {
		u, err := serverURL("http://127.0.0.1:1" + path)
		s, err2 := serverURL("http://127.0.0.1:1" + socket)
		if err != nil || err2 != nil || u.Host != "127.0.0.1:1" || s.Host != u.Host {
			return // no URL of this machine
		}
		text, err := fillForm("http://127.0.0.1:1", u.RequestURI(), identify.Server{Socket: s.RequestURI(), Events: events, Dialect: identify.Dialect{Target: target}})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := scenarios.ReadTarget("form.yaml", strings.NewReader(text)); err != nil && !strings.Contains(err.Error(), "placeholder") && !strings.Contains(err.Error(), ".path: value") {
			t.Errorf("%q: %v\n%s", path, err, text)
		}
	})
}

// The sentences say what was found, and what it means for the file.
func TestSentencesDescribeAServer(t *testing.T) {
	for _, c := range []struct {
		found identify.Server
		want  []string
	}{
		{identify.Server{Requests: 8}, []string{
			"GET: no response in time; perhaps long polling",
			"WebSocket: no upgrade; give the path of the WebSocket in the URL",
			"Protocol: not recognized",
			"8 requests were sent.",
		}},
		{identify.Server{Requests: 4, Status: 404, Socket: "/ws", Subprotocol: "v12.stomp", Dialect: identify.Dialect{Title: "STOMP", Target: "rabbitmq", Sign: "the subprotocol v12.stomp"}}, []string{
			"GET: status 404",
			"WebSocket: upgrade at /ws; subprotocol v12.stomp",
			"Protocol: STOMP, recognized by the subprotocol v12.stomp; the file begins as the target rabbitmq",
			"4 requests were sent.",
		}},
		{identify.Server{Requests: 2, Status: 200, Type: "text/event-stream", Events: true, First: ": hi", Dialect: identify.Dialect{Title: "X", Target: "unheard-of", Sign: "its first frame"}}, []string{
			"GET: status 200 text/event-stream",
			`SSE: the response is a stream of events; first line ": hi"`,
			"Protocol: X, recognized by its first frame; no target of pushbench has it",
			"2 requests were sent.",
		}},
	} {
		if got := sentences(c.found); !slices.Equal(got, c.want) {
			t.Errorf("got  %q\nwant %q", got, c.want)
		}
	}
}

package inspect

import (
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// schemes are the allowed schemes of a target.
var schemes = map[string]struct {
	kind Kind
	http string
}{
	"ws":           {WebSocket, "http"},
	"wss":          {WebSocket, "https"},
	"http":         {Poll, "http"},
	"https":        {Poll, "https"},
	"sse+http":     {SSE, "http"},
	"sse+https":    {SSE, "https"},
	"stream+http":  {Lines, "http"},
	"stream+https": {Lines, "https"},
}

// ParseTarget parses a URL: ws:// and wss:// select a WebSocket, http:// and https:// a
// poll, sse+http:// and sse+https:// an event stream, stream+http:// and stream+https:// a
// stream of newline-delimited JSON.
func ParseTarget(text string) (Target, error) {
	const allowed = "allowed: ws://HOST/PATH, wss:// (WebSocket), http://, https:// (poll), sse+http://, sse+https:// (event stream), stream+http:// or stream+https:// (stream of lines)"
	u, err := url.Parse(text)
	text = credentials.ReplaceAllString(text, "//xxxxx@")
	if err != nil {
		return Target{}, fmt.Errorf("%q is not a URL; %s", text, allowed)
	}
	scheme, ok := schemes[strings.ToLower(u.Scheme)]
	switch {
	case !ok || u.Host == "" || u.Hostname() == "":
		return Target{}, fmt.Errorf("%q cannot be inspected; %s", text, allowed)
	case u.Fragment != "" && scheme.kind == WebSocket:
		return Target{}, fmt.Errorf("%q has a fragment, which is not allowed for a WebSocket (RFC 6455, section 3)", text)
	case u.User != nil:
		return Target{}, fmt.Errorf("%q contains a user name, which is not sent; allowed: a URL without a user name", text)
	}
	if port, err := strconv.ParseUint(u.Port(), 10, 16); u.Port() != "" && (err != nil || port == 0) {
		return Target{}, fmt.Errorf("%q has the port %s; allowed: 1 to 65535", text, u.Port())
	}
	if !plainHost.MatchString(u.Hostname()) {
		return Target{}, fmt.Errorf("%q: the host %q has letters beyond ASCII; allowed: its form in ASCII, such as xn--bcher-kva.example", text, u.Hostname())
	}
	u.Scheme, u.Host, u.Fragment = scheme.http, strings.TrimSuffix(u.Host, ":"), ""
	return Target{Kind: scheme.kind, URL: u}, nil
}

// port returns the port of the URL, or the default port of its scheme.
func (t Target) port() string {
	switch {
	case t.URL.Port() != "":
		return t.URL.Port()
	case t.secure():
		return "443"
	default:
		return "80"
	}
}

func (t Target) secure() bool { return t.URL.Scheme == "https" }

// address returns host and port.
func (t Target) address() string { return net.JoinHostPort(t.URL.Hostname(), t.port()) }

func (t Target) wait() time.Duration {
	if t.Wait > 0 {
		return t.Wait
	}
	return defaultWait
}

// credentials are a user name and a password, which no error shows.
var credentials = regexp.MustCompile(`//[^/?#]*@`)

// plainHost matches names and addresses that can be sent as they are.
var plainHost = regexp.MustCompile(`^[!-~]+$`)

// requestURI returns the path and the query, in which other characters are percent-encoded
// (RFC 3986, section 2.1).
func requestURI(u *url.URL) string {
	var b strings.Builder
	for _, c := range []byte(u.RequestURI()) {
		if c <= ' ' || c > '~' || strings.IndexByte(`"<>\^`+"`{|}", c) >= 0 {
			fmt.Fprintf(&b, "%%%02X", c)
		} else {
			b.WriteByte(c)
		}
	}
	return b.String()
}

// hostOf returns the value of Host. A zone of an IPv6 address is valid only on this machine and is
// not sent (RFC 6874, section 4).
func hostOf(u *url.URL) string {
	address, zone, found := strings.Cut(u.Hostname(), "%")
	if !found || zone == "" {
		return u.Host
	}
	if u.Port() == "" {
		return "[" + address + "]"
	}
	return net.JoinHostPort(address, u.Port())
}

// Methods are the allowed methods of polls and streams. The second list allows a body.
var (
	Methods         = []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}
	methodsWithBody = []string{"POST", "PUT", "PATCH"}
)

func (t Target) method() string {
	if t.Method == "" {
		return "GET"
	}
	return t.Method
}

// withLength adds the length of the body, which some methods require even if it is 0 (RFC 9110,
// section 8.6).
func (t Target) withLength(lines []Line) []Line {
	if !slices.Contains(methodsWithBody, t.method()) {
		return lines
	}
	return append(lines, field("Content-Length", strconv.Itoa(len(t.Body)), "length of the body (RFC 9110, section 8.6)"))
}

// Limits of what a request may contain, in bytes.
const (
	maxSent  = 64 << 10 // a message or a body
	maxField = 8 << 10
)

// Check returns an error that names the flag of a value that must not be sent.
func (t Target) Check() error {
	for _, check := range []func() error{t.checkKind, t.checkOrigin, t.checkSubprotocols, t.checkFields, t.checkMethod, t.checkMessages} {
		if err := check(); err != nil {
			return err
		}
	}
	return nil
}

// checkKind refuses what only the handshake of a WebSocket can offer.
func (t Target) checkKind() error {
	const allowed = "is offered in WebSocket handshakes; allowed: with ws:// and wss:// URLs"
	switch {
	case t.Kind != WebSocket && t.Deflate:
		return errors.New("--deflate: " + allowed)
	case t.Kind != WebSocket && t.Subprotocol != "":
		return errors.New("--subprotocol: " + allowed)
	}
	return nil
}

var origin = regexp.MustCompile(`^(null|[A-Za-z][A-Za-z0-9+.-]*://[!-.0-~]+)$`)

func (t Target) checkOrigin() error {
	if t.Origin != "" && !origin.MatchString(t.Origin) {
		return fmt.Errorf("--origin: %q is not an origin; allowed: SCHEME://HOST, SCHEME://HOST:PORT or null", t.Origin)
	}
	return nil
}

func (t Target) checkSubprotocols() error {
	if t.Subprotocol == "" {
		return nil
	}
	seen := map[string]bool{}
	for one := range strings.SplitSeq(t.Subprotocol, ",") {
		if one = trimOWS(one); !token.MatchString(one) {
			return fmt.Errorf("--subprotocol: %q is not a name; allowed: names of letters, digits and !#$%%&'*+-.^_`|~, separated by commas", one)
		}
		if seen[one] {
			return fmt.Errorf("--subprotocol: %q appears twice; allowed: different names (RFC 6455, section 4.1)", one)
		}
		seen[one] = true
	}
	return nil
}

// reserved are the fields that the request sets itself, with the flag that changes them.
var reserved = map[string]string{
	"host": "", "user-agent": "", "connection": "", "upgrade": "", "transfer-encoding": "", "te": "", "trailer": "", "expect": "", "keep-alive": "", "proxy-connection": "",
	"content-length": "--body", "origin": "--origin",
	"sec-websocket-key": "", "sec-websocket-version": "", "sec-websocket-accept": "", "sec-websocket-protocol": "--subprotocol", "sec-websocket-extensions": "--deflate",
}

// firstWord is the name in a field that is malformed, such as one without a colon.
var firstWord = regexp.MustCompile(`^\s*[A-Za-z-]+`)

func (t Target) checkFields() error {
	total := 0
	for _, f := range t.Fields {
		name, value, found := strings.Cut(f, ":")
		flag, ours := reserved[strings.ToLower(name)]
		switch total += len(f); {
		case !found || !token.MatchString(name):
			if word := firstWord.FindString(f); isSecret(strings.TrimSpace(word)) {
				f = word + "…"
			}
			return fmt.Errorf("--header: %q is not a header field; allowed: NAME: VALUE", f)
		case strings.ContainsFunc(value, forbiddenInValue) || !utf8.ValidString(value):
			if isSecret(name) {
				value = "(not shown)"
			}
			return fmt.Errorf("--header: the value of %s has a control character or is not UTF-8: %q; allowed: printable text", name, value)
		case ours && flag != "":
			return fmt.Errorf("--header: %s is set by %s", name, flag)
		case ours:
			return fmt.Errorf("--header: %s is set by inspect and cannot be changed", name)
		case total > maxField:
			return fmt.Errorf("--header: more than %d bytes; allowed: at most %d for all fields", maxField, maxField)
		}
	}
	return nil
}

func (t Target) checkMethod() error {
	switch {
	case t.Kind == WebSocket && t.Method != "":
		return fmt.Errorf("--method: a WebSocket handshake is always a GET (RFC 6455, section 4.1); allowed: with http://, https://, sse+ and stream+ URLs")
	case t.Method != "" && !slices.Contains(Methods, t.Method):
		return fmt.Errorf("--method: %q is not allowed; allowed: %s", t.Method, strings.Join(Methods, ", "))
	case t.Kind == WebSocket && t.Body != "":
		return fmt.Errorf("--body: a WebSocket handshake has no body; --send sends a message after it")
	case t.Body != "" && !slices.Contains(methodsWithBody, t.method()):
		return fmt.Errorf("--body: not allowed with the method %s; allowed: --method %s", t.method(), strings.Join(methodsWithBody, ", "))
	case len(t.Body) > maxSent:
		return fmt.Errorf("--body: %d bytes; allowed: at most %d", len(t.Body), maxSent)
	}
	return nil
}

func (t Target) checkMessages() error {
	for _, text := range t.Send {
		if t.Kind != WebSocket {
			return fmt.Errorf("--send: sends WebSocket messages; allowed: with ws:// and wss:// URLs; --body sends the body of a request")
		}
		content, binary := strings.CutPrefix(text, hexPrefix)
		_, err := hex.DecodeString(strings.ReplaceAll(content, " ", ""))
		switch {
		case binary && err != nil:
			return fmt.Errorf("--send: %q is not hexadecimal; allowed: hex: and two digits for each byte, such as hex:c0 00", text)
		case !utf8.ValidString(text):
			return fmt.Errorf("--send: %q is not UTF-8 (RFC 6455, section 5.6); allowed: UTF-8, or hex: for a binary message", text)
		case len(text) > maxSent:
			return fmt.Errorf("--send: %d bytes; allowed: at most %d", len(text), maxSent)
		}
	}
	return nil
}

// hexPrefix marks a binary message.
const hexPrefix = "hex:"

// messageFrame returns the frame of a message of Target.Send.
func messageFrame(text string) []byte {
	if digits, binary := strings.CutPrefix(text, hexPrefix); binary {
		content, _ := hex.DecodeString(strings.ReplaceAll(digits, " ", "")) // Check has decoded it
		return clientFrame(opBinary, string(content))
	}
	return clientFrame(opText, text)
}

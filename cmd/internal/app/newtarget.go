package app

import (
	"context"
	"crypto/tls"
	"fmt"
	"net/url"
	"os"
	"slices"
	"strings"

	"pushbench/bench/identify"
	"pushbench/results"
	"pushbench/scenarios"
	"pushbench/servers/foreign"
)

// MostRequests is the most requests that NewTarget sends.
const MostRequests = identify.MostRequests

// NewTarget writes a target file to fill in; with the URL of a running server, with what a few requests find out
// about it.
func (e Env) NewTarget(ctx context.Context, out, server string, insecure bool) error {
	if _, err := os.Lstat(out); err == nil {
		return Usagef("%s exists; choose another name with --out", out)
	}
	text := form
	if server != "" {
		var err error
		if text, err = e.formFor(ctx, server, insecure); err != nil {
			return err
		}
	}
	return e.writeForm(out, text)
}

// formFor finds out what it can about the server of a URL, prints it, and returns a form for it.
func (e Env) formFor(ctx context.Context, text string, insecure bool) (string, error) {
	u, err := serverURL(text)
	if err != nil {
		return "", err
	}
	path := u.RequestURI()
	asked := *u
	asked.RawQuery = strings.ReplaceAll(u.RawQuery, "{topic}", "pushbench")
	found, err := identify.Probe(ctx, &asked, &tls.Config{InsecureSkipVerify: insecure}, identify.DefaultWait)
	if err != nil {
		return "", &Error{Code: Refused, Err: fmt.Errorf("%s: %w", u.Host, err)}
	}
	for _, line := range sentences(found) {
		fmt.Fprintln(e.Out, results.Plain(line))
	}
	filled, err := fillForm(u.Scheme+"://"+u.Host, path, found)
	if err != nil {
		return "", err
	}
	if _, err := scenarios.ReadTarget(text, strings.NewReader(filled)); err != nil {
		return "", Usagef("%s: the target file would be invalid: %w", text, err)
	}
	return filled, nil
}

// serverURL checks a URL as that of a target file, but it may have a path. Its query is percent-encoded (RFC 3986,
// section 2.1).
func serverURL(text string) (*url.URL, error) {
	const allowed = "allowed: http://127.0.0.1:PORT/PATH, or https://"
	u, err := url.Parse(text)
	if err != nil {
		return nil, Usagef("%q is not a URL; %s", text, allowed)
	}
	if u.Scheme = strings.Replace(u.Scheme, "ws", "http", 1); u.Scheme != "http" && u.Scheme != "https" {
		return nil, Usagef("%q is not a URL of a target; %s", u.Redacted(), allowed)
	}
	if u.Hostname() == "" || u.User != nil || u.Fragment != "" {
		return nil, Usagef("%q is not a URL of a target; %s, without a user name or a fragment", u.Redacted(), allowed)
	}
	if t := (scenarios.Target{URL: u.Scheme + "://" + u.Host}); t.Remote() {
		return nil, Usagef("%s is not on this machine; allowed: 127.0.0.1, [::1] or localhost, as requests go to this machine only", u.Host)
	}
	var query strings.Builder // u encodes its path, and leaves its query as it was
	for _, c := range []byte(u.RawQuery) {
		if c > ' ' && c <= '~' {
			query.WriteByte(c)
		} else {
			fmt.Fprintf(&query, "%%%02X", c)
		}
	}
	u.RawQuery = query.String()
	return u, nil
}

// sentences says what is known about a server.
func sentences(found identify.Server) (lines []string) {
	switch {
	case found.Status == 0:
		lines = append(lines, "GET: no response in time; perhaps long polling")
	default:
		lines = append(lines, strings.TrimSpace(fmt.Sprintf("GET: status %d %s", found.Status, found.Type)))
	}
	if found.Events {
		lines = append(lines, "SSE: the response is a stream of events"+firstLine("line", found.First))
	}
	switch {
	case found.Socket != "":
		selected := "; no known subprotocol"
		if found.Subprotocol != "" {
			selected = "; subprotocol " + found.Subprotocol
		}
		lines = append(lines, "WebSocket: upgrade at "+found.Socket+selected+firstLine("frame", found.First))
	case !found.Events:
		lines = append(lines, "WebSocket: no upgrade; give the path of the WebSocket in the URL")
	}
	switch dialect := found.Dialect; {
	case dialect.Target == "":
		lines = append(lines, "Protocol: not recognized")
	case !slices.Contains(foreign.Names(), dialect.Target):
		lines = append(lines, fmt.Sprintf("Protocol: %s, recognized by %s; no target of pushbench has it", dialect.Title, dialect.Sign))
	default:
		lines = append(lines, fmt.Sprintf("Protocol: %s, recognized by %s; the file begins as the target %s", dialect.Title, dialect.Sign, dialect.Target))
	}
	return append(lines, fmt.Sprintf("%d requests were sent.", found.Requests))
}

// firstLine quotes the beginning of what a server sent first.
func firstLine(what, text string) string {
	const most = 60
	switch {
	case text == "":
		return ""
	case len(text) > most:
		text = text[:most] + "…"
	}
	return fmt.Sprintf("; first %s %q", what, text)
}

// writeForm writes a form to a new file, and says what to do next.
func (e Env) writeForm(path, text string) error {
	if err := results.WriteFile(path, []byte(text)); err != nil { // all of it or nothing: half a file would be in the way
		return err
	}
	var lines []string
	for _, line := range marked(text) {
		lines = append(lines, fmt.Sprint(line))
	}
	_, err := fmt.Fprintf(e.Out, "%s: written. Change the %d lines marked CHANGE: %s. Then: pushbench verify %s\n", results.Plain(path), len(lines), strings.Join(lines, ", "), results.Plain(verifiable(path)))
	return err
}

// verifiable is a path that pushbench verify does not read as a name.
func verifiable(path string) string {
	if strings.ContainsAny(path, "/.") {
		return path
	}
	return "./" + path
}

package servers_test

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"

	"pushbench/servers/hub"
	"pushbench/servers/wire"
)

// A transcript is a fenced code block of PROTOCOL.md and the line before it, which
// names its servers.
type transcript struct {
	servers string
	steps   []step
}

// A step is a command and its expected output.
type step struct{ command, want string }

func readTranscripts(t *testing.T) []transcript {
	t.Helper()
	page, err := os.ReadFile("PROTOCOL.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, found := strings.Cut(string(page), "## Transcripts")
	if !found {
		t.Fatal("PROTOCOL.md has no transcripts")
	}
	parts := strings.Split(section, "```\n")
	var all []transcript
	for i := 1; i < len(parts); i += 2 {
		lines := strings.Split(strings.TrimSpace(parts[i-1]), "\n")
		all = append(all, transcript{lines[len(lines)-1], readSteps(parts[i])})
	}
	return all
}

func readSteps(code string) (steps []step) {
	for part := range strings.SplitSeq("\n"+code, "\n$ ") {
		command, want, _ := strings.Cut(part, "\n")
		if command != "" {
			steps = append(steps, step{command, strings.TrimRight(want, "\n")})
		}
	}
	return steps
}

func TestTranscriptsMatchServers(t *testing.T) {
	if _, err := exec.LookPath("curl"); err != nil {
		t.Fatal("this test requires curl: ", err)
	}
	transcripts := readTranscripts(t)
	on(t, withTrait(nil), func(t *testing.T, v variant) {
		s := start(t, v, wire.Limits{}, hub.Options{})
		cursor := ""
		for _, tr := range transcripts {
			if strings.HasPrefix(tr.servers, "All") || strings.Contains(tr.servers, v.transport) {
				for _, st := range tr.steps {
					cursor = st.run(t, s, cursor)
				}
			}
		}
	})
}

var (
	cursorText = regexp.MustCompile(`[0-9a-f]{16}\.[0-9a-f]+`)
	dateText   = regexp.MustCompile(`(?m)^Date: [A-Z][a-z]{2}, [0-9]{2} [A-Z][a-z]{2} [0-9]{4} [0-9]{2}:[0-9]{2}:[0-9]{2} GMT\r?$`) // RFC 9110 section 5.6.7
)

// undated replaces the value of the header Date, which differs between runs.
func undated(header string) string { return dateText.ReplaceAllString(header, "Date: DATE") }

// run runs a command and returns the last cursor that it printed, or the given one.
func (st step) run(t *testing.T, s *server, cursor string) string {
	t.Helper()
	epoch, _, _ := strings.Cut(hub.Cursor{Epoch: s.service.Hub.Epoch()}.String(), ".")
	command := strings.NewReplacer("ADDR", s.addr, "CURSOR", cursor, "EPOCH", epoch).Replace(st.command)
	var stdout bytes.Buffer
	c := exec.Command("sh", "-c", command)
	c.Stdout = &stdout
	var exit *exec.ExitError
	if err := c.Run(); err != nil && !errors.As(err, &exit) { // curl --max-time exits with 28, as intended
		t.Fatal(err)
	}
	printed := strings.ReplaceAll(stdout.String(), "\r\n", "\n")
	if found := cursorText.FindAllString(printed, -1); len(found) > 0 {
		cursor = found[len(found)-1]
	}
	got := strings.TrimRight(undated(cursorText.ReplaceAllString(printed, "CURSOR")), "\n")
	if sortHeaders(got, s) != sortHeaders(st.want, s) {
		t.Errorf("$ %s\ngot:\n%s\nwant:\n%s", command, got, st.want)
	}
	return cursor
}

// sortHeaders sorts the header lines of a response, except for the library
// reference, whose order the page shows.
func sortHeaders(printed string, s *server) string {
	if s.library == wire.Reference || !strings.HasPrefix(printed, "HTTP/") {
		return printed
	}
	header, body, _ := strings.Cut(printed, "\n\n")
	lines := strings.Split(header, "\n")
	slices.Sort(lines[1:])
	return strings.Join(lines, "\n") + "\n\n" + body
}

// The sizes in PROTOCOL.md must be those on the wire.
func TestHeaderSizesMatchContract(t *testing.T) {
	for _, row := range []struct {
		name, transport, path string
		headers               string
		want                  int
	}{
		{"poll 200, a body of two digits", "shortpoll", "/v1/poll?topic=a", "", 131 + 2},
		{"poll 200 with Connection: close", "longpoll", "/v1/poll?topic=a", "Connection: close\r\n", 131 + 2 + 19},
		{"healthz, a body of two digits", "sse", "/v1/healthz", "", 106 + 2},
		{"SSE", "sse", "/v1/sse?topic=a", "", 179},
		{"101", "websocket", "/v1/ws?topic=a", handshake, 129},
	} {
		on(t, row.transport, func(t *testing.T, v variant) {
			c := dial(t, start(t, v, wire.Limits{}, hub.Options{}))
			c.request(row.path, row.headers)
			header, err := readHeader(c.r)
			if err != nil || len(header) != row.want {
				t.Errorf("%s: %d bytes, %v, want %d: %q", row.name, len(header), err, row.want, header)
			}
		})
	}
}

// The response to a poll without a message is 89 bytes.
func TestHeaderSizeOfEmptyResponseMatchesContract(t *testing.T) {
	on(t, "shortpoll longpoll", func(t *testing.T, v variant) {
		c := subscribe(t, start(t, v, wire.Limits{}, hub.Options{}), "topic=a", "")
		c.request("/v1/poll?topic=a&after=" + c.next().Cursor)
		if header := c.response("GET").header; len(header) != 89 {
			t.Errorf("%d bytes, want 89: %q", len(header), header)
		}
	})
}

package servers_test

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"pushbench/servers/hub"
	"pushbench/servers/wire"
)

// A transcript is a fenced block of PROTOCOL.md and the line before it, which
// names the servers it is about.
type transcript struct {
	servers string
	steps   []step
}

// A step is a command and what it prints.
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

func readSteps(block string) (steps []step) {
	for part := range strings.SplitSeq("\n"+block, "\n$ ") {
		command, want, _ := strings.Cut(part, "\n")
		if command != "" {
			steps = append(steps, step{command, strings.TrimRight(want, "\n")})
		}
	}
	return steps
}

func TestTheTranscriptsOfTheContractAreTrue(t *testing.T) {
	if _, err := exec.LookPath("curl"); err != nil {
		t.Fatal("this test needs curl: ", err)
	}
	transcripts := readTranscripts(t)
	everywhere(t, func(t *testing.T, transport string) {
		s := start(t, transport, wire.Limits{}, hub.Options{})
		cursor := ""
		for _, tr := range transcripts {
			if strings.HasPrefix(tr.servers, "All") || strings.Contains(tr.servers, transport) {
				for _, st := range tr.steps {
					cursor = st.run(t, s, cursor)
				}
			}
		}
	})
}

var cursorText = regexp.MustCompile(`[0-9a-f]{16}\.[0-9a-f]+`)

// run runs a command and returns the last cursor it printed, or the one before.
func (st step) run(t *testing.T, s *server, cursor string) string {
	t.Helper()
	epoch, _, _ := strings.Cut(hub.Cursor{Epoch: s.service.Hub.Epoch()}.String(), ".")
	command := strings.NewReplacer("ADDR", s.addr, "CURSOR", cursor, "EPOCH", epoch).Replace(st.command)
	var stdout bytes.Buffer
	c := exec.Command("sh", "-c", command)
	c.Stdout = &stdout
	var exit *exec.ExitError
	if err := c.Run(); err != nil && !errors.As(err, &exit) { // curl --max-time exits 28, as meant
		t.Fatal(err)
	}
	printed := strings.ReplaceAll(stdout.String(), "\r\n", "\n")
	if found := cursorText.FindAllString(printed, -1); len(found) > 0 {
		cursor = found[len(found)-1]
	}
	got := strings.TrimRight(cursorText.ReplaceAllString(printed, "CURSOR"), "\n")
	if got != st.want {
		t.Errorf("$ %s\ngot:\n%s\nwant:\n%s", command, got, st.want)
	}
	return cursor
}

// The sizes that PROTOCOL.md states are those on the wire.
func TestTheHeaderSizesOfTheContractAreTrue(t *testing.T) {
	head := func(transport, path string, headers ...string) int {
		s := start(t, transport, wire.Limits{}, hub.Options{})
		c := dial(t, s)
		c.request(path, headers...)
		h, err := readHead(c.r)
		if err != nil {
			t.Fatal(err)
		}
		return len(h)
	}
	for _, row := range []struct {
		name      string
		got, want int
	}{
		{"poll 200, a body of two digits", head("shortpoll", "/v1/poll?topic=a"), 94 + 2},
		{"poll 204", emptyHead(t), 52},
		{"healthz, a body of two digits", head("shortpoll", "/v1/healthz"), 69 + 2},
		{"SSE", head("sse", "/v1/sse?topic=a"), 142},
		{"101", head("websocket", "/v1/ws?topic=a", handshake), 129},
	} {
		if row.got != row.want {
			t.Errorf("%s: %d bytes, want %d", row.name, row.got, row.want)
		}
	}
}

// emptyHead is the length of the answer to a poll for which nothing came.
func emptyHead(t *testing.T) int {
	s := start(t, "shortpoll", wire.Limits{}, hub.Options{})
	c := subscribe(t, s, "topic=a", "")
	c.next()
	c.poll()
	return len(c.answer("GET").head)
}

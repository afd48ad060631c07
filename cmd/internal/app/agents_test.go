package app

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"pushbench/results"
)

// Run folders and texts contain no password of a user's NATS server.
func TestCommandLineWithoutPassword(t *testing.T) {
	t.Parallel()
	const urls = "nats://bench:s3cr3t@192.0.2.7:4222"
	for _, args := range [][]string{{"run", "chat", "--nats", urls}, {"run", "chat", "--nats=" + urls}, {"run", "chat", "--nats", "nats://:s3cr3t%@"}} {
		got := strings.Join(Env{Args: args}.command(), " ")
		if strings.Contains(got, "s3cr3t") || !strings.HasPrefix(got, "pushbench run chat --nats") {
			t.Errorf("%v was recorded as %s", args, got)
		}
	}
	err := Env{}.Agent(t.Context(), AgentCommand{NATS: "nats://bench:s3cr3t%@x", Run: "UABC", Name: "box"})
	if CodeOf(err) != Usage || strings.Contains(err.Error(), "s3cr3t") {
		t.Errorf("agent: %v", err)
	}
}

// What is printed for agents has a placeholder in place of the password.
func TestPrintedLineWithoutPassword(t *testing.T) {
	t.Parallel()
	var said bytes.Buffer
	e := Env{Err: &said, Tool: func() results.Tool { return results.Tool{} }}
	_, err := e.Survey(t.Context(), Agents{Count: 1, NATS: "nats://bench:s3cr3t@127.0.0.1:1", Within: time.Millisecond})
	const want = "pushbench agent --nats 'nats://bench:PASSWORD@127.0.0.1:1' --run U"
	if CodeOf(err) != Invalid || !strings.Contains(said.String(), want) || strings.Contains(said.String()+err.Error(), "s3cr3t") {
		t.Errorf("%v, printed %s, want %s", err, said.String(), want)
	}
}

package servers_test

import (
	"testing"
	"time"

	"pushbench/servers/hub"
	"pushbench/servers/wire"
)

// A stream that was silent for the heartbeat interval receives an empty line, and then the next batch.
func TestHeartbeatOfSilentStreamIsEmptyLine(t *testing.T) {
	on(t, "httpstream", func(t *testing.T, v variant) {
		s := start(t, v, wire.Limits{Heartbeat: 20 * time.Millisecond}, hub.Options{})
		c := subscribe(t, s, "topic=a", "")
		c.next()
		if line := string(readChunk(t, c.r)); line != "\n" {
			t.Fatalf("a silent stream got %q, want an empty line", line)
		}
		s.publish(t, "a", "x\ny") // the payload's line break is escaped
		for line := "\n"; line == "\n"; {
			if line = string(readChunk(t, c.r)); line != "\n" {
				want := `{"cursor":"` + parseBatch(t, []byte(line)).Cursor + `","messages":[{"topic":"a","seq":1,"data":"x\ny"}]}` + "\n"
				if line != want {
					t.Errorf("got %q, want %q", line, want)
				}
			}
		}
	})
}

// A stream with after receives the messages since that cursor; only SSE uses Last-Event-ID.
func TestStreamResumesByAfter(t *testing.T) {
	on(t, "httpstream", func(t *testing.T, v variant) {
		s := start(t, v, wire.Limits{}, hub.Options{})
		c := subscribe(t, s, "topic=a", "")
		cursor := c.next().Cursor
		c.Close()
		s.publish(t, "a", "missed")
		want := `{"topic":"a","seq":1,"data":"missed"}`
		if got := subscribe(t, s, "topic=a", cursor).next(); got.text() != want || got.Heads != nil {
			t.Errorf("resumed with %+v, want %s", got, want)
		}
		other := dial(t, s)
		other.request("/v1/stream?topic=a", "Last-Event-ID: "+cursor+"\r\n")
		from := &subscriber{peer: other, first: true}
		if got := from.next(); got.Heads["a"] != 1 || len(got.Messages) != 0 {
			t.Errorf("with Last-Event-ID got %+v, want a subscribe-ack", got)
		}
	})
}

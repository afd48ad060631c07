package transports

import "testing"

// Traits that imply each other are written separately, so a row could contradict itself.
func TestTraitsAgree(t *testing.T) {
	seen := map[string]bool{}
	for _, transport := range All() {
		for rule, ok := range map[string]bool{
			"has a unique name and a title":                             transport.Name != "" && transport.Title != "" && !seen[transport.Name],
			"polls, streams, or the server dials":                       oneOf(transport.Polls, transport.Streams, transport.ServerDials),
			"a poll is timed, or the server keeps it open":              transport.Polls == oneOf(transport.Timed, transport.Holds),
			"a server that keeps a poll open can batch":                 !transport.Holds || transport.Batches,
			"an upgrade makes a stream":                                 !transport.Upgrades || transport.Streams,
			"only a socket carries publications":                        transport.PublishesInSocket == transport.Upgrades,
			"a transport whose server dials is not measured by default": !transport.ServerDials || !transport.Default,
		} {
			if !ok {
				t.Errorf("%+v: not true that %s", transport, rule)
			}
		}
		seen[transport.Name] = true
	}
}

func oneOf(all ...bool) bool {
	n := 0
	for _, is := range all {
		if is {
			n++
		}
	}
	return n == 1
}

func TestFind(t *testing.T) {
	if found, ok := Find(WebSocket); !ok || found.Title != "WebSocket" || !found.Upgrades {
		t.Errorf("got %+v, %v", found, ok)
	}
	if found, ok := Find("carrier-pigeon"); ok || found != (Transport{}) || Of("carrier-pigeon") != found {
		t.Errorf("got %+v, %v for an unknown name", found, ok)
	}
}

func TestOr(t *testing.T) {
	for want, names := range map[string][]string{"a": {"a"}, "a or b": {"a", "b"}, "a, b or c": {"a", "b", "c"}} {
		if got := Or(names); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

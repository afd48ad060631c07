package transports

import "testing"

// Traits that follow from each other are written in one row, so each row can contradict itself.
func TestTraitsAgree(t *testing.T) {
	seen := map[string]bool{}
	for _, row := range All() {
		for rule, holds := range map[string]bool{
			"has a name and a title of its own":              row.Name != "" && row.Title != "" && !seen[row.Name],
			"polls, streams, or the server dials":            oneOf(row.Polls, row.Streams, row.ServerDials),
			"a poll is timed or held":                        row.Polls == oneOf(row.Timed, row.Holds),
			"a server that holds a poll can flush":           !row.Holds || row.Batches,
			"an upgrade makes a stream":                      !row.Upgrades || row.Streams,
			"only a socket carries publications":             row.PublishesInSocket == row.Upgrades,
			"what clients cannot open is measured on demand": !row.ServerDials || !row.Default,
		} {
			if !holds {
				t.Errorf("%+v: not true that %s", row, rule)
			}
		}
		seen[row.Name] = true
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

package wire

import (
	"testing"

	"pushbench/servers/hub"
	"pushbench/servers/wire/httpstack"
)

func TestReferenceUsesUsualLibraries(t *testing.T) {
	for _, row := range []struct {
		library   Library
		transport string
		want      httpstack.Library
	}{
		{Reference, "shortpoll", httpstack.FastHTTP},
		{Reference, "longpoll", httpstack.FastHTTP},
		{Reference, "sse", httpstack.FastHTTP},
		{Reference, "websocket", httpstack.NetHTTP},
		{NetHTTP, "shortpoll", httpstack.NetHTTP},
		{NetHTTP, "websocket", httpstack.NetHTTP},
		{FastHTTP, "sse", httpstack.FastHTTP},
		{FastHTTP, "websocket", httpstack.FastHTTP},
	} {
		s, err := New(row.transport, row.library, Limits{}, hub.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if s.HTTP.Library != row.want || s.Stats().Library != string(row.library) {
			t.Errorf("%s on %s: built on %s, and the stats report %s", row.transport, row.library, s.HTTP.Library, s.Stats().Library)
		}
		s.Close()
	}
}

func TestUnknownLibraryIsRejected(t *testing.T) {
	for _, library := range []Library{"", "apache"} {
		if _, err := New("sse", library, Limits{}, hub.Options{}); err == nil {
			t.Errorf("%q: got no error", library)
		}
	}
}

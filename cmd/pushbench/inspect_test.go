package main

import (
	"bytes"
	"context"
	"strings"
	"testing"

	"pushbench/cmd/internal/app"
	"pushbench/cmd/internal/inprocess"
	"pushbench/servers/wire"
)

// The servers conform to the standards on every library, and refuse invalid handshakes.
func TestInspectOurServers(t *testing.T) {
	inprocess.OnEachLibrary(t, func(t *testing.T, library wire.Library) {
		t.Parallel() // a WebSocket is read for the whole wait
		urls := map[string]string{}
		for transport, format := range map[string]string{
			"websocket": "ws://ADDR/v1/ws?topic=a", "shortpoll": "http://ADDR/v1/poll?topic=a",
			"longpoll": "http://ADDR/v1/poll?topic=a&wait=1s", "sse": "sse+http://ADDR/v1/sse?topic=a",
			"httpstream": "stream+http://ADDR/v1/stream?topic=a",
		} {
			server := inprocess.Start(t, inprocess.Server{Transport: transport, Library: library})
			urls[transport] = strings.Replace(format, "ADDR", server.Addr, 1)
		}
		var out, errs bytes.Buffer
		inspected := func(args ...string) int {
			out.Reset()
			errs.Reset()
			return run(context.Background(), append([]string{"inspect"}, args...), nil, &out, &errs)
		}
		if code := inspected(urls["shortpoll"], urls["longpoll"], urls["sse"], urls["httpstream"]); code != int(app.OK) {
			t.Errorf("exit code %d: %s\n%s", code, errs.String(), out.String())
		}
		for _, want := range []string{"data: {", "side by side"} {
			if !strings.Contains(out.String(), want) {
				t.Errorf("the output lacks %q:\n%s", want, out.String())
			}
		}
		if code := inspected("--negative", urls["websocket"]); code != int(app.OK) {
			t.Errorf("exit code %d: %s\n%s", code, errs.String(), out.String())
		}
		for _, want := range []string{"Sec-WebSocket-Accept: ", "text frame: ", "close frame: code 1000"} {
			if !strings.Contains(out.String(), want) {
				t.Errorf("the output lacks %q:\n%s", want, out.String())
			}
		}
	})
}

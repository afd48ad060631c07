//go:build linux

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"pushbench/bench/cost"
)

// k6 is where make peers puts it.
const k6 = "bin/k6"

// missingK6 is why k6 cannot be measured on this machine; empty if it can.
func missingK6() string {
	if installed(k6) {
		return ""
	}
	return "not installed (make peers)"
}

// k6Script does what echoScenario does: as many clients, each publishing as often, one at
// a time, to a topic of its own and timing the acknowledgement, every sample recorded.
const k6Script = `
import ws from 'k6/ws';
import { Trend } from 'k6/metrics';
const latency = new Trend('latency', true);
const data = 'x'.repeat(64);
export const options = { vus: 64, duration: '%ds' };
export default function () {
  const topic = 't' + __VU, sent = {};
  let id = 0;
  ws.connect('ws://%s/v1/ws?topic=' + topic, null, function (socket) {
    socket.on('open', function () {
      socket.setInterval(function () {
        sent[id] = Date.now();
        socket.send(JSON.stringify({ id: id, topic: topic, data: data }));
        id++;
      }, 8);
    });
    socket.on('message', function (text) {
      const m = JSON.parse(text);
      if (m.ack === undefined) return;
      latency.add(Date.now() - sent[m.ack]);
      delete sent[m.ack];
    });
    socket.setTimeout(function () { socket.close(); }, %d);
  });
}
`

// How long k6 is let come to its rate, and then watched.
const (
	k6Warms   = 3 * time.Second
	k6Watched = 5 * time.Second
)

// k6Echo is what an echo costs k6, in µs, once it is at its rate.
func k6Echo(ctx context.Context, command string) (cpu float64, err error) {
	server, err := ours(command, "websocket")(ctx)
	if err != nil {
		return 0, err
	}
	defer server.end()
	dir, err := os.MkdirTemp("", "perf")
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(dir)
	script := filepath.Join(dir, "echo.js")
	whole := k6Warms + k6Watched + 2*time.Second
	if err := os.WriteFile(script, fmt.Appendf(nil, k6Script, whole/time.Second, server.address, whole/time.Millisecond), 0o600); err != nil {
		return 0, err
	}
	p, err := start(ctx, loadCore, k6, "run", "--quiet", "--log-output", "none", "--no-usage-report", "--address", "", "--summary-mode", "disabled", script)
	if err != nil {
		return 0, err
	}
	defer p.terminate()
	return watchK6(ctx, p, server.address)
}

// watchK6 measures k6 while it publishes to a server.
func watchK6(ctx context.Context, p *process, address string) (cpu float64, err error) {
	if err := p.runFor(ctx, k6Warms); err != nil {
		return 0, err
	}
	had, before, err := published(ctx, address, p.pid())
	if err != nil {
		return 0, err
	}
	if err := p.runFor(ctx, k6Watched); err != nil {
		return 0, err
	}
	have, after, err := published(ctx, address, p.pid())
	if err != nil {
		return 0, err
	}
	const rate, least = 64 * 125, 0.95
	if reached := float64(have-had) / k6Watched.Seconds(); reached < least*rate {
		return 0, unreached(reached, rate, "/s")
	}
	return float64(after.Minus(before).CPU) / float64(time.Microsecond) / float64(have-had), nil
}

// published is how many messages a server has had, and what a process has used by then.
func published(ctx context.Context, address string, pid int) (n int64, used cost.Usage, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+address+"/v1/stats", nil)
	if err != nil {
		return 0, used, err
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, used, err
	}
	defer answer.Body.Close()
	var stats struct{ Published int64 }
	used, failed := cost.Read(pid)
	err = errors.Join(json.NewDecoder(answer.Body).Decode(&stats), failed)
	return stats.Published, used, err
}

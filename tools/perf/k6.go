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

// k6 is the path at which make peers installs it.
const k6 = "bin/k6"

// missingK6 returns why k6 cannot be measured on this machine, or "".
func missingK6() string {
	if installed(k6) {
		return ""
	}
	return "not installed (make peers)"
}

// k6Script does the same as echoScenario: the same number of clients publish at the same rate,
// one message at a time, each to a separate topic. It records the latency of every
// acknowledgement.
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

// The warm-up and the measurement time of k6.
const (
	k6Warmup = 3 * time.Second
	k6Window = 5 * time.Second
)

// k6Echo measures the CPU time of an echo in k6 at its full rate, in µs.
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
	whole := k6Warmup + k6Window + 2*time.Second
	if err := os.WriteFile(script, fmt.Appendf(nil, k6Script, whole/time.Second, server.address, whole/time.Millisecond), 0o600); err != nil {
		return 0, err
	}
	p, err := start(ctx, loadCore, k6, "run", "--quiet", "--log-output", "none", "--no-usage-report", "--address", "", "--summary-mode", "disabled", script)
	if err != nil {
		return 0, err
	}
	defer p.terminate()
	return measureK6(ctx, p, server.address)
}

// measureK6 measures k6 while it publishes to a server.
func measureK6(ctx context.Context, p *process, address string) (cpu float64, err error) {
	if err := p.runFor(ctx, k6Warmup); err != nil {
		return 0, err
	}
	earlier, before, err := published(ctx, address, p.pid())
	if err != nil {
		return 0, err
	}
	if err := p.runFor(ctx, k6Window); err != nil {
		return 0, err
	}
	later, after, err := published(ctx, address, p.pid())
	if err != nil {
		return 0, err
	}
	const rate, minimum = 64 * 125, 0.95
	if reached := float64(later-earlier) / k6Window.Seconds(); reached < minimum*rate {
		return 0, notReached(reached, rate, "/s")
	}
	return float64(after.Minus(before).CPU) / float64(time.Microsecond) / float64(later-earlier), nil
}

// published returns the number of messages that a server has accepted, and the resource usage
// of a process at that time.
func published(ctx context.Context, address string, pid int) (n int64, used cost.Usage, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+address+"/v1/stats", nil)
	if err != nil {
		return 0, used, err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, used, err
	}
	defer response.Body.Close()
	var stats struct{ Published int64 }
	used, failed := cost.Read(pid)
	err = errors.Join(json.NewDecoder(response.Body).Decode(&stats), failed)
	return stats.Published, used, err
}

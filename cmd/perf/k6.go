//go:build linux

package main

import (
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

func missingK6() string {
	if _, err := os.Stat(k6); err != nil {
		return "make peers"
	}
	return ""
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

// k6Echo says what an echo costs k6, in µs, once it is at its rate.
func k6Echo(command string) (cpu float64, err error) {
	server, err := ours(command, "websocket")()
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
	p, err := start(loadCore, k6, "run", "--quiet", "--log-output", "none", "--no-usage-report", "--address", "", "--summary-mode", "disabled", script)
	if err != nil {
		return 0, err
	}
	defer p.kill()
	time.Sleep(k6Warms)
	had, before, err := published(server.address, p.pid())
	if err != nil {
		return 0, err
	}
	time.Sleep(k6Watched)
	have, after, err := published(server.address, p.pid())
	if err != nil {
		return 0, err
	}
	const rate, least = 64 * 125, 0.95
	if reached := float64(have-had) / k6Watched.Seconds(); reached < least*rate {
		err = fmt.Errorf("k6 published %.0f a second, not %d", reached, rate)
	}
	return float64(after.Minus(before).CPU) / float64(time.Microsecond) / float64(have-had), err
}

// published is how many messages a server has had, and what a process has used by then.
func published(address string, pid int) (n int64, used cost.Usage, err error) {
	answer, err := http.Get("http://" + address + "/v1/stats")
	if err != nil {
		return 0, used, err
	}
	defer answer.Body.Close()
	var stats struct{ Published int64 }
	used, failed := cost.Read(pid)
	err = errors.Join(json.NewDecoder(answer.Body).Decode(&stats), failed)
	return stats.Published, used, err
}

package client

import (
	"strings"
	"testing"

	"pushbench/bench/payload"
	"pushbench/bench/target"
	"pushbench/scenarios"
	"pushbench/scenarios/transports"
)

// A silent duplex sends nothing.
type silent struct{}

func (silent) Opened()                    {}
func (silent) Control(byte, []byte) error { return nil }
func (silent) Completed()                 {}

func (silent) Sent() int64     { return 0 }
func (silent) Consumed() int64 { return 0 }

// foreignSubscriber is a client of a target whose stream or WebSocket is open.
func foreignSubscriber(t *testing.T, transport scenarios.Transport, file string) *Subscriber {
	t.Helper()
	parsed, err := scenarios.ReadTarget("test.yaml", strings.NewReader("version: 1\nname: test\nurl: http://127.0.0.1:1\n"+file))
	if err != nil {
		t.Fatal(err)
	}
	c := &Config{Transport: transport, Traffic: new(Traffic), Payloads: payload.NewScanner(7, func(uint32) int { return 64 })}
	if c.Dialect, err = target.Compile(parsed, transport, nil); err != nil {
		t.Fatal(err)
	}
	c.SetDefaults()
	s := NewSubscriber(c, Subscription{Topics: []string{"a"}}, nowhere{}, new(Scratch))
	if transport == transports.WebSocket {
		s.Duplex = silent{}
	}
	s.AppendRequest(nil, silent{})
	s.open = true
	return &s
}

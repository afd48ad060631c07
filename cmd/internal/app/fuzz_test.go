package app

import (
	"strings"
	"testing"
	"unicode"

	"pushbench/scenarios"
)

// FuzzHostLoad checks that accepted limits are positive and are read from their own text again.
func FuzzHostLoad(f *testing.F) {
	for _, seed := range []string{"connections=10,connects=1/s,messages=5/s", "messages=1/m", "connections=0", "connects=NaN/s", "", "moon=1"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		l := HostLoad{Connections: 1, ConnectRate: 1, MessageRate: 1}
		if l.Set(text) != nil {
			return
		}
		again := HostLoad{Connections: 1, ConnectRate: 1, MessageRate: 1}
		if err := again.Set(l.String()); err != nil || again != l || !(l.Connections > 0 && l.ConnectRate > 0 && l.MessageRate > 0) {
			t.Errorf("%q: got %+v, and again %+v, %v", text, l, again, err)
		}
	})
}

// FuzzServerURL checks that only an address of this machine is accepted, and that an error is one printable line.
func FuzzServerURL(f *testing.F) {
	for _, seed := range []string{"http://127.0.0.1:8080/events?a=b", "wss://localhost/x", "http://[::1]:1", "http://u:p@127.0.0.1", "http://[fe80::1%25%0a]/", "http://example.com", "%zz"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		u, err := serverURL(text)
		switch {
		case err != nil && strings.ContainsFunc(err.Error(), func(r rune) bool { return !unicode.IsPrint(r) }):
			t.Errorf("%q: the error is not one printable line: %q", text, err)
		case err == nil && (&scenarios.Target{URL: u.String()}).Remote():
			t.Errorf("%q is on another machine: %v", text, u)
		}
	})
}

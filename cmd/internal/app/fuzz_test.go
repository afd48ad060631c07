package app

import (
	"regexp"
	"strconv"
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

// FuzzPortRange checks that a range has the two ports of the text in order, and nothing that is no port.
func FuzzPortRange(f *testing.F) {
	for _, seed := range []string{"32768\t60999\n", "1 65535", "60999 32768", "0x10 99999", "1 2 3", "-1 2", "+1 2", ""} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		first, last, ok := portRange(text)
		found := regexp.MustCompile(`^\s*0*([0-9]{1,5})\s+0*([0-9]{1,5})\s*$`).FindStringSubmatch(strings.Join(strings.Fields(text), " "))
		if ok && (found == nil || found[1] != strconv.FormatUint(first, 10) || found[2] != strconv.FormatUint(last, 10) || first > last || last > 65535) {
			t.Errorf("%q is the range %d to %d", text, first, last)
		}
		if want := regexp.MustCompile(`^[1-9][0-9]{0,3}\t[1-6][0-4][0-9]{3}\n$`).MatchString(text); want && !ok {
			t.Errorf("%q is no range", text)
		}
	})
}

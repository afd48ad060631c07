package main

import (
	"strings"
	"testing"
	"unicode"
)

// FuzzServeFlags checks that each refused value of a flag of serve is reported in one printable line.
func FuzzServeFlags(f *testing.F) {
	f.Add("https://app.example", "bench.example", "127.0.0.0/8", "127.0.0.1:0")
	f.Add("https://app.example/\x1b", "[::1]", "10.0.0.1", "[::1%25\n]:80")
	f.Add("null", "a:1", "::/0", "\x00:99999")
	f.Fuzz(func(t *testing.T, origin, host, network, listen string) {
		for _, change := range []func(*serveOptions){
			func(o *serveOptions) { o.access.Origins = []string{origin} },
			func(o *serveOptions) { o.access.Hosts = []string{host} },
			func(o *serveOptions) { o.transport, o.hooks = "webhook", []string{network} },
			func(o *serveOptions) { o.listen = listen },
		} {
			o := serveOptions{transport: "sse", listen: "127.0.0.1:0"}
			change(&o)
			if err := o.check(); err != nil && strings.ContainsFunc(err.Error(), func(r rune) bool { return !unicode.IsPrint(r) }) {
				t.Errorf("%q %q %q %q: the error is not one printable line: %q", origin, host, network, listen, err)
			}
		}
	})
}

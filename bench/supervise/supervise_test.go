package supervise

import (
	"bytes"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"pushbench/scenarios"
)

// The test runs again in a process with a lower soft limit, as a login shell has.
func TestServerMayOpenAsManyFilesAsTheHardLimitAllows(t *testing.T) {
	const again = "PUSHBENCH_TEST_SOFT_LIMIT"
	if os.Getenv(again) == "" {
		cmd := exec.Command("sh", "-c", `ulimit -S -n 256 && exec "$0" -test.run '^`+t.Name()+`$'`, os.Args[0])
		cmd.Env = append(os.Environ(), again+"=1")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		return
	}
	file, err := scenarios.ReadTarget("test.yaml", strings.NewReader(`
version: 1
name: test
start: {run: [sh, -c, "ulimit -S -n; exec sleep 60", "{port}"], log: '^[0-9]+$|^unlimited$'}
transports: {sse: {path: "/{topic}"}}
publish: {post: "/{topic}"}
`))
	if err != nil {
		t.Fatal(err)
	}
	s, err := start(file)
	if err != nil {
		t.Fatal(err)
	}
	defer s.end()
	if err := s.ready(t.Context()); err != nil {
		t.Fatal(err)
	}
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	if got := strings.TrimSpace(s.output.String()); got == "256" || limit.Cur == 256 {
		t.Errorf("the server may open %s files, this process %d; want the hard limit", got, limit.Cur)
	}
}

// The line that means ready is found however the output is cut into writes, and nothing of the end is lost.
func FuzzOutput(f *testing.F) {
	f.Add("loading\r\nready\r\nserving", 3)
	f.Add("not ready\nready", 1)
	f.Fuzz(func(t *testing.T, text string, size int) {
		o := output{ready: regexp.MustCompile(`^ready$`), matched: make(chan struct{})}
		want := false
		for line := range strings.Lines(text) {
			trimmed, ends := strings.CutSuffix(line, "\n")
			want = want || ends && strings.TrimSuffix(trimmed, "\r") == "ready"
		}
		for rest := []byte(text); len(rest) > 0; {
			n := min(max(size, 1), len(rest))
			if written, err := o.Write(rest[:n]); written != n || err != nil {
				t.Fatalf("wrote %d of %d bytes: %v", written, n, err)
			}
			rest = rest[n:]
		}
		if got := o.ready == nil; got != want {
			t.Errorf("%q in writes of %d: ready %v, want %v", text, size, got, want)
		}
		if !strings.HasSuffix(text, o.String()) {
			t.Errorf("%q is kept as %q", text, o.String())
		}
	})
}

// The excerpt of an output has the reason of a crash, which a long stack may follow.
func TestExcerptHasTheReasonOfACrash(t *testing.T) {
	for output, want := range map[string]string{
		"":                          "; it wrote nothing",
		"one\ntwo\n\nthree\nfour\n": "; its output ends with: two | three | four",
		"ready\npanic: no room\n\ngoroutine 1 [running]:\nmain.main()\n\t/main.go:5 +0x1\nexit status 2\n":                                                  "; its output has: panic: no room | goroutine 1 [running]: | main.main()",
		"fatal error: concurrent map writes\na\nb\nc\n":                                                                                                     "; its output has: fatal error: concurrent map writes | a | b",
		"SIGSEGV: segmentation violation\nPC=0x1\na\nb\n":                                                                                                   "; its output has: SIGSEGV: segmentation violation | PC=0x1 | a",
		"node:events:491\n      throw er;\n      ^\n\nError: listen EADDRINUSE: :::80\n    at Server\n  port: 80\n}\n\nNode.js v18.20.4\n":                  "; its output has: Error: listen EADDRINUSE: :::80 | at Server | port: 80",
		"Exception in thread \"main\" java.lang.OutOfMemoryError: heap\n\tat A\n\tat B\n\tat C\n":                                                           "; its output has: Exception in thread \"main\" java.lang.OutOfMemoryError: heap | at A | at B",
		"KeyError: 'a'\n\nDuring handling of the above exception, another exception occurred:\n\nTraceback\n  File \"x\"\n    raise\nValueError: no port\n": "; its output ends with: File \"x\" | raise | ValueError: no port",
		"warning: 1 Error found\na\nb\nc\n":                                                                                                                 "; its output ends with: a | b | c",
	} {
		if got := last(bytes.NewBufferString(output)); got != want {
			t.Errorf("%q:\n got %s\nwant %s", output, got, want)
		}
	}
}

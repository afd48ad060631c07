package supervise

import (
	"bufio"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"pushbench/scenarios"
)

// described is the text of a target file with a start.
func described(start string) string {
	return "version: 1\nname: test\nstart: " + start + "\ntransports: {sse: {path: \"/{topic}\"}}\npublish: {post: \"/{topic}\"}\n"
}

func started(t *testing.T, start string) *scenarios.Target {
	t.Helper()
	file, err := scenarios.ReadTarget("test.yaml", strings.NewReader(described(start)))
	if err != nil {
		t.Fatal(err)
	}
	return file
}

// What a server and a build write into an error has no value of an environment variable that the target file names.
func TestErrorsHaveNoSecret(t *testing.T) {
	t.Setenv("PUSHBENCH_TEST_SECRET", "hunter/two")
	const says = `sh, -c, 'echo "refused: $WORD"; echo "{\"word\":\"hunter\\/two\"} word=hunter%2ftwo"; exit 3'`
	file := started(t, `{run: [`+says+`, "{port}"], env: ["WORD={env:PUSHBENCH_TEST_SECRET}"]}`)
	s, err := start(file)
	if err != nil {
		t.Fatal(err)
	}
	defer s.end()
	want := "refused: ********** | {\"word\":\"***********\"} word=************"
	if err := s.ready(t.Context()); err == nil || !strings.HasSuffix(err.Error(), want) {
		t.Errorf("got %v, want an end %s", err, want)
	}
	t.Setenv("WORD", "hunter/two")
	file.Start.Build = []scenarios.Template{"sh", "-c", "echo $WORD; exit 3"}
	if err := Build(t.Context(), file); err == nil || !strings.HasSuffix(err.Error(), "ends with: **********") {
		t.Errorf("build: %v", err)
	}
}

// A parent that is killed reads no more: the supervisor still ends all processes of the server. The test runs again as
// the supervisor; its processes hold a pipe open.
func TestProcessesEndWithAKilledParent(t *testing.T) {
	const again = "PUSHBENCH_TEST_SUPERVISOR"
	if path := os.Getenv(again); path != "" {
		_ = Run(path, "", os.Stdin, os.Stdout) // it cannot report that it has ended
		return
	}
	path := t.TempDir() + "/test.yaml"
	if err := os.WriteFile(path, []byte(described(`{run: [sh, -c, "setsid sleep 600 & echo ready; exec sleep 600", "{port}"], log: ready}`)), 0o600); err != nil {
		t.Fatal(err)
	}
	held, hold, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer held.Close()
	cmd := exec.Command(os.Args[0], "-test.run", "^"+t.Name()+"$")
	cmd.Env, cmd.ExtraFiles = append(os.Environ(), again+"="+path), []*os.File{hold}
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	hold.Close()
	if _, err := bufio.NewReader(out).ReadString('\n'); err != nil {
		t.Fatal(err)
	}
	out.Close()
	in.Close()
	_ = cmd.Wait()
	if err := held.SetReadDeadline(time.Now().Add(20 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if _, err := held.Read(make([]byte, 1)); err != io.EOF {
		t.Errorf("a process of the server has not ended: %v", err)
	}
}

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
	s, err := start(started(t, `{run: [sh, -c, "ulimit -S -n; exec sleep 60", "{port}"], log: '^[0-9]+$|^unlimited$'}`))
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
		file := new(scenarios.Target)
		kept := tail(file)
		_, _ = kept.Write([]byte(output))
		if got := last(file, &kept); got != want {
			t.Errorf("%q:\n got %s\nwant %s", output, got, want)
		}
	}
}

// No part of a secret is shown, wherever the kept part of an output begins, however the secret is written.
func TestExcerptHasNoPartOfASecret(t *testing.T) {
	const secret = "hunter/two!"
	t.Setenv("PUSHBENCH_TEST_SECRET", secret)
	file := started(t, `{run: [server, "{port}"], env: ["WORD={env:PUSHBENCH_TEST_SECRET}"]}`)
	escaped := ""
	for _, c := range secret {
		escaped += fmt.Sprintf(`\u%04x`, c)
	}
	coloured := tail(file)
	_, _ = coloured.Write([]byte("hunter\x1b[31m/two!"))
	if got, want := last(file, &coloured), "; its output ends with: ***********"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	for _, written := range []string{secret, url.PathEscape(secret), escaped} {
		for from := range len(written) + 1 {
			kept := tail(file)
			_, _ = kept.Write([]byte("first\n" + written))
			_, _ = kept.Write([]byte(strings.Repeat("\n", 8<<10-from)))
			got := last(file, &kept)
			if rest := strings.Trim(got[strings.LastIndex(got, " ")+1:], "*"); rest != "" && rest != "nothing" {
				t.Errorf("%q behind its first %d bytes: %s", written, len(written)-from, got)
			}
		}
	}
}

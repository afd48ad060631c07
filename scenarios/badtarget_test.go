package scenarios

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// runningTarget is a target file that is as short as possible.
const runningTarget = `version: 1
name: mine
url: http://127.0.0.1:80
transports: {websocket: {path: "/{topic}", steps: [{expect: hello}, {send: "join"}]}}
publish: {frame: "{payload}"}
`

// startedTarget is one whose server is started.
const startedTarget = `version: 1
name: mine
start: {run: [server, "{port}"], within: 10s}
transports: {sse: {path: "/{topic}"}}
publish: {post: "/publish"}
`

// Each row of testdata/badtargets.txt is a mistake in a target file and its sentence; "accepted" if it is none.
func TestBadTargetFilesAreNamed(t *testing.T) {
	folder := t.TempDir()
	write := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(filepath.Join(folder, "folder"), 0o700); err != nil {
		t.Fatal(err)
	}
	for _, link := range [][2]string{{"good.yaml", "symbolic link"}, {"absent.yaml", "dangling symbolic link"}, {"circular symbolic link", "circular symbolic link"}} {
		if err := os.Symlink(link[0], filepath.Join(folder, link[1])); err != nil {
			t.Fatal(err)
		}
	}
	write("good.yaml", runningTarget)
	write("no certificate", "hello\n")
	write("empty logins", "")
	var golden bytes.Buffer
	check := func(name, path string) {
		t.Helper()
		sentence := "accepted"
		read, err := LoadTarget(path)
		if err == nil {
			err = read.ReadLogins()
		}
		if err != nil {
			checkSentence(t, err)
			sentence = strings.ReplaceAll(err.Error(), folder+string(filepath.Separator), "")
		}
		fmt.Fprintf(&golden, "%s\n  %s\n", name, sentence)
	}
	for _, name := range []string{"absent.yaml", "folder", "symbolic link", "dangling symbolic link", "circular symbolic link"} {
		check(name, filepath.Join(folder, name))
	}
	check("a device", os.DevNull)
	steps := func(step string) string { return strings.Replace(runningTarget, "{send: \"join\"}", step, 1) }
	address := func(url string) string { return strings.Replace(runningTarget, "http://127.0.0.1:80", url, 1) }
	starts := func(start string) string {
		return strings.Replace(startedTarget, `run: [server, "{port}"], within: 10s`, start, 1)
	}
	for _, c := range []struct{ name, text string }{
		{"empty", ""},
		{"comments only", "# nothing\n"},
		{"NUL", "version: 1\x00\n"},
		{"no UTF-8", "version: 1\nname: caf\xe9\n"},
		{"byte order mark", "\ufeff" + runningTarget},
		{"byte order mark of UTF-16", "\xff\xfev\x00e\x00"},
		{"CRLF", strings.ReplaceAll(runningTarget, "\n", "\r\n")},
		{"tab", strings.Replace(runningTarget, "name:", "\tname:", 1)},
		{"huge", runningTarget + strings.Repeat("#", 1<<20)},
		{"much text", runningTarget + strings.Repeat("a: b\n", 20_000)},
		{"several documents", runningTarget + "---\n" + runningTarget},
		{"JSON", `{"version": 1, "name": "mine", "url": "http://127.0.0.1:80", "transports": {"sse": {"path": "/{topic}"}}, "publish": {"post": "/"}}`},
		{"a list", "- version: 1\n"},
		{"a text", "version\n"},
		{"unclosed quote", "version: 1\nname: \"mine\n"},
		{"anchor", strings.Replace(runningTarget, "mine", "&a mine", 1)},
		{"alias bomb", "a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\n"},
		{"merge key", runningTarget + "<<: {about: x}\n"},
		{"tag", strings.Replace(runningTarget, "mine", "!!binary bWluZQ==", 1)},
		{"duplicate key", runningTarget + "name: other\n"},
		{"nested", "version: 1\nabout: " + strings.Repeat("[", 2000)},
		{"other version", strings.Replace(runningTarget, "1", "2", 1)},
		{"version missing", strings.Replace(runningTarget, "version: 1\n", "", 1)},
		{"name", strings.Replace(runningTarget, "mine", "../mine", 1)},
		{"name long", strings.Replace(runningTarget, "mine", strings.Repeat("m", 65), 1)},
		{"name missing", strings.Replace(runningTarget, "name: mine\n", "", 1)},
		{"unknown field", runningTarget + "delivery: at_most_once\n"},
		{"unknown field of a transport", strings.Replace(runningTarget, "steps", "step", 1)},
		{"unknown transport", strings.Replace(runningTarget, "websocket", "websockets", 1)},
		{"no transport", strings.Replace(runningTarget, `{websocket: {path: "/{topic}", steps: [{expect: hello}, {send: "join"}]}}`, "{}", 1)},
		{"unknown promise", runningTarget + "promises: {delivery: exactly_once}\n"},
		{"unknown order", runningTarget + "promises: {order: total}\n"},

		{"unknown placeholder", steps(`{send: "{topik}"}`)},
		{"nested placeholders", steps(`{send: "{{topic}}"}`)},
		{"placeholder within a placeholder", steps(`{send: "{env:{topic}}"}`)},
		{"unclosed placeholder", steps(`{send: "{topic"}`)},
		{"payload in a step", steps(`{send: "{payload}"}`)},
		{"capture of the topic", steps(`{expect: "(?<topic>x)"}`)},
		{"capture of a login", strings.Replace(runningTarget, "hello", "(?<login>x)", 1)},
		{"value as the client", strings.Replace(runningTarget, `websocket: {path: "/{topic}", steps: [{expect: hello}, {send: "join"}]}`, `longpoll: {path: "/{topic}", next: [{header: X, as: client}]}`, 1)},
		{"long template", steps(`{send: "` + strings.Repeat("x", longest+1) + `"}`)},
		{"pattern", steps(`{expect: "(["}`)},
		{"pattern with a back reference", steps(`{expect: "(a)\\1"}`)},
		{"pattern with a lookahead", steps(`{expect: "(?=a)"}`)},
		{"pattern with nested repetitions", steps(`{expect: "((a{100}){100}){100}"}`)},
		{"pattern with a large repetition", steps(`{expect: "a{1001}"}`)},
		{"pattern with exponential backtracking elsewhere", steps(`{expect: "(a+)+$"}`)},
		{"pattern nested", steps(`{expect: "` + strings.Repeat("(", 2000) + strings.Repeat(")", 2000) + `"}`)},
		{"long pattern", steps(`{expect: "` + strings.Repeat("x", longest+1) + `"}`)},
		{"pattern of many states", steps(`{expect: "` + strings.Repeat("x{1000}", 2000) + `"}`)},
		{"too many steps", steps(strings.Repeat("{send: x}, ", 64) + "{send: y}")},
		{"a step with both", steps("{send: x, expect: y}")},
		{"a step with neither", steps("{}")},

		{"scheme", address("ftp://127.0.0.1:80")},
		{"scheme of WebSocket", address("ws://127.0.0.1:80")},
		{"file", address("file:///etc/passwd")},
		{"no scheme", address("127.0.0.1:80")},
		{"no port", address("http://127.0.0.1")},
		{"port 0", address("http://127.0.0.1:0")},
		{"port 70000", address("http://127.0.0.1:70000")},
		{"port no number", address("http://127.0.0.1:http")},
		{"IPv6", address("'http://[::1]:80'")},
		{"IPv6 unclosed", address("'http://[::1'")},
		{"IPv6 without brackets", address("'http://::1:80'")},
		{"no host", address("http://:80")},
		{"credentials", address("http://me:secret@127.0.0.1:80")},
		{"credentials with a scheme of WebSocket", address("ws://me:secret@127.0.0.1")},
		{"fragment", address("http://127.0.0.1:80#top")},
		{"query", address("http://127.0.0.1:80?a=b")},
		{"path of a url", address("http://127.0.0.1:80/ws")},
		{"space in a url", address("'http://127.0.0.1 :80'")},
		{"escape in a url", address("http://%zz:80")},

		{"no command", starts("run: []")},
		{"empty program", starts(`run: ["", "{port}"]`)},
		{"NUL in a command", starts(`run: ["a\0", "{port}"]`)},
		{"port not named", starts("run: [server]")},
		{"unknown placeholder of a command", starts(`run: [server, "{port}", "{topic}"]`)},
		{"env without a value", starts(`run: [server], env: ["PORT{port}"]`)},
		{"env without a name", starts(`run: [server], env: ["={port}"]`)},
		{"env not a list", starts(`run: [server], env: {PORT: "{port}"}`)},
		{"within zero", starts(`run: [server, "{port}"], within: 0s`)},
		{"within negative", starts(`run: [server, "{port}"], within: -1s`)},
		{"within huge", starts(`run: [server, "{port}"], within: 11m`)},
		{"within overflows", starts(`run: [server, "{port}"], within: 99999999999h`)},
		{"within without a unit", starts(`run: [server, "{port}"], within: 10`)},
		{"ready by log and get", starts(`run: [server, "{port}"], log: x, get: /x`)},
		{"folder with an absolute path", starts(`run: [server, "{port}"], folder: /srv`)},
		{"get no path", starts(`run: [server, "{port}"], get: health`)},

		{"login with a line break", runningTarget + `login: ["A: b\r\nC: d"]` + "\n"},
		{"login file a folder", runningTarget + "login_file: folder\n"},
		{"login file absent", runningTarget + "login_file: absent\n"},
		{"login file empty", runningTarget + "login_file: empty logins\n"},
		{"ca without TLS", runningTarget + "ca: no certificate\n"},
		{"ca absent", address("https://127.0.0.1") + "ca: absent.pem\n"},
		{"ca a folder", address("https://127.0.0.1") + "ca: folder\n"},
		{"ca without a certificate", address("https://127.0.0.1") + "ca: no certificate\n"},
	} {
		write("mine.yaml", c.text)
		check(c.name, filepath.Join(folder, "mine.yaml"))
	}
	compareGolden(t, "testdata/badtargets.txt", golden.Bytes())
}

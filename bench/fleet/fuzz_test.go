package fleet

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/nats-io/nats.go"
)

// printable reports whether an error is one line that cannot control a terminal.
func printable(err error) bool {
	return err == nil || !strings.ContainsFunc(err.Error(), func(r rune) bool { return !unicode.IsPrint(r) })
}

// FuzzParseJoin checks that a Join is read as it was printed, and that no error shows the key.
func FuzzParseJoin(f *testing.F) {
	key, err := NewKey()
	if err != nil {
		f.Fatal(err)
	}
	seed, err := key.pair.Seed()
	if err != nil {
		f.Fatal(err)
	}
	j := Join{Broker: "tls://192.0.2.7:4222", Run: key.Public, key: string(seed), certificate: strings.Repeat("ab", 32)}
	f.Add(j.String())
	f.Add(strings.Replace(j.String(), "tls:", "http:", 1))
	f.Add("tls://[::1]:4222?run=U&key=S&certificate=00")
	f.Add("\x1b")
	f.Fuzz(func(t *testing.T, text string) {
		got, err := ParseJoin(text)
		if !printable(err) || err != nil && strings.Contains(err.Error(), string(seed)) {
			t.Errorf("error %q", err)
		}
		if err != nil {
			return
		}
		if again, err := ParseJoin(got.String()); err != nil || again != got {
			t.Errorf("%+v was read again as %+v, %v", got, again, err)
		}
	})
}

// FuzzResponse checks that pieces of any size and order are put together or refused.
func FuzzResponse(f *testing.F) {
	f.Add("0", "1", []byte(`{"text":"condition"}`))
	f.Add("1", "2", []byte(`{}`))
	f.Add("0", "513", []byte(`{"memory":9}`))
	f.Add("-1", "x", []byte(nil))
	f.Fuzz(func(t *testing.T, index, pieces string, data []byte) {
		m := nats.NewMsg("to")
		m.Header.Set(pieceHeader, index)
		m.Header.Set(piecesHeader, pieces)
		m.Data = data
		var a assembly
		for range 3 {
			if r, err := a.add(m); !printable(err) || r != nil && err != nil {
				t.Errorf("%+v, %v", r, err)
			}
		}
		if a.next > 1 {
			t.Errorf("%d pieces were taken, of which all have the index %q", a.next, index)
		}
	})
}

// FuzzRequest checks that any request of a coordinator is decoded or refused with one line.
func FuzzRequest(f *testing.F) {
	f.Add([]byte(`{"job":{"scenario":"version: 1","measured":{"Transport":"sse","BatchingDelay":"5ms"}},"prepare":[{"target":"192.0.2.1:80"}]}`))
	f.Add([]byte(`{"window":{"Start":-1}}`))
	f.Add([]byte(`{"dials":[1`))
	f.Fuzz(func(t *testing.T, data []byte) {
		var q request
		if json.Unmarshal(data, &q) != nil {
			return
		}
		if _, err := q.Job.decode(); err != nil && strings.ContainsRune(err.Error(), '\x1b') {
			t.Errorf("%q", err)
		}
		if err := (&Agent{}).allowed(q.Prepare); (err == nil) != (len(q.Prepare) == 0) {
			t.Errorf("an agent without servers: %v for %+v", err, q.Prepare)
		}
	})
}

// FuzzSteps checks that an agent performs any sequence of requests in the order of agent.Agent, or refuses them with one line.
func FuzzSteps(f *testing.F) {
	names := append([]string{"Fly", "Begin", "Finish", "EndTrial", "Describe"}, slices.Sorted(maps.Keys(before))...)
	f.Add([]byte{1, 12, 11, 7, 9, 13, 5, 3, 2}, []byte(`{}`))
	f.Add([]byte{13, 5, 3, 1, 1}, []byte(`{"dials":[1]}`))
	f.Add([]byte{1, 12}, []byte(`{"job":{"scenario":"version: 1"},"window":{"Start":-1}} x`))
	f.Fuzz(func(t *testing.T, sequence, data []byte) {
		steps := &stubSteps{stopped: make(chan struct{})}
		a := &Agent{Steps: steps, Lock: func() (func(), error) { return func() {}, nil }}
		for _, i := range sequence {
			name := names[int(i)%len(names)]
			if a.progress.check(name) == nil && slices.Contains([]string{"Measure", "Audit"}, name) && a.progress.last == "" {
				t.Fatalf("%s is allowed between two trials", name)
			}
			if slices.Contains([]string{"Ceiling", "IdleStalls", "IdleMemory", "Lap", "Measure"}, name) {
				var q request
				if decode(data, &q) == nil {
					if _, err := a.check(name, q); err != nil && strings.ContainsRune(err.Error(), '\x1b') {
						t.Errorf("%q", err)
					}
				}
				continue
			}
			if _, err := a.do(t.Context(), name, data); err != nil && strings.ContainsRune(err.Error(), '\x1b') {
				t.Errorf("%s: %q", name, err)
			}
		}
	})
}

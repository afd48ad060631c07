package payload

import (
	"fmt"
	"strings"
	"testing"
)

const scanned = 0xdeadbeef

func sizes(n int) func(uint32) int {
	return func(index uint32) int {
		if index >= 100 {
			return 0
		}
		return n
	}
}

// all scans a record to its end.
func all(s *Scanner, record []byte) (found []string) {
	for {
		f, rest, ok := s.Next(record)
		if !ok {
			return found
		}
		_, index, err := Parse(f.Data)
		switch {
		case f.Damaged:
			found = append(found, fmt.Sprintf("damaged %d", len(f.Data)))
		case err != nil:
			found = append(found, err.Error())
		default:
			found = append(found, fmt.Sprint(index))
		}
		record = rest
	}
}

// A long payload in which another begins is cut there, however many begin: none is read to its planned end.
func TestScannerCutsLongPayloads(t *testing.T) {
	const size = 1 << 20
	s := NewScanner(scanned, sizes(size))
	one, begun := string(Append(nil, scanned, 1, size)), string(Append(nil, scanned, 2, 64)[:17])
	for name, c := range map[string]struct{ in, want string }{
		"alone":               {"x" + one + "x", "[1]"},
		"two":                 {one + one, "[1 1]"},
		"cut at the end":      {one[:size-1], "[damaged 1048575]"},
		"changed":             {one[:100] + "-" + one[101:], "[damaged 1048576]"},
		"cut, then another":   {one[:5000] + one, "[damaged 5000 1]"},
		"begun, then another": {begun + begun + one, "[damaged 17 damaged 17 1]"},
	} {
		if got := fmt.Sprint(all(s, []byte(c.in))); got != c.want {
			t.Errorf("%s: got %s, want %s", name, got, c.want)
		}
	}
	if got := len(all(s, []byte(strings.Repeat(begun, 200_000)))); got != 200_000 {
		t.Errorf("%d payloads found, want 200,000", got)
	}
}

func TestScannerFindsPayloadsInAnyEnvelope(t *testing.T) {
	s := NewScanner(scanned, sizes(64))
	one, two := string(Append(nil, scanned, 1, 64)), string(Append(nil, scanned, 2, 64))
	foreign, unplanned := string(Append(nil, 1, 1, 64)), string(Append(nil, scanned, 100, 64))
	escaped := one[:30] + `\u0061` + one[31:]
	for name, c := range map[string]struct{ in, want string }{
		"alone":                     {one, "[1]"},
		"in JSON in JSON":           {`42["m","{\"data\":\"` + one + `\"}"]`, "[1]"},
		"several":                   {one + two + `{"a":` + one, "[1 2 1]"},
		"of another run":            {foreign, "[]"},
		"of another run and ours":   {foreign + one, "[1]"},
		"with an unplanned index":   {unplanned + one, "[1]"},
		"no payload":                {"2", "[]"},
		"empty":                     {"", "[]"},
		"only a marker":             {"pdeadbeef", "[]"},
		"a marker before":           {"pdeadbeef" + one, "[1]"},
		"cut at the end":            {one[:63], "[damaged 63]"},
		"cut, then another":         {one[:40] + two, "[damaged 40 2]"},
		"escaped, then another":     {escaped + two, "[damaged 64 2]"},
		"a digit of the index lost": {"pdeadbeef0000000" + one, "[1]"},
	} {
		if got := fmt.Sprint(all(s, []byte(c.in))); got != c.want {
			t.Errorf("%s: got %s, want %s", name, got, c.want)
		}
	}
}

func FuzzScanner(f *testing.F) {
	f.Add([]byte(`42["say","` + string(Append(nil, scanned, 1, 64)) + `"]`))
	f.Add(Append(Append(nil, scanned, 1, 64)[:40], scanned, 2, 64))
	f.Fuzz(func(t *testing.T, in []byte) {
		s := NewScanner(scanned, sizes(64))
		for rest, ok := in, true; ok; {
			var found Found
			before := len(rest)
			if found, rest, ok = s.Next(rest); !ok {
				return
			}
			if len(rest) >= before || len(found.Data) == 0 || len(found.Data) > 64 {
				t.Fatalf("%q: no progress, or a payload of %d bytes", in, len(found.Data))
			}
			if found.Index() >= 100 && found.Damaged {
				t.Fatalf("%q: a payload with the index %d, which is not planned", in, found.Index())
			}
		}
	})
}

func BenchmarkScanner(b *testing.B) {
	s := NewScanner(scanned, sizes(128))
	record := []byte(`42["message",{"room":"room-7","data":"` + string(Append(nil, scanned, 1, 128)) + `"}]`)
	b.SetBytes(int64(len(record)))
	b.ReportAllocs()
	for b.Loop() {
		if f, _, ok := s.Next(record); !ok || f.Damaged {
			b.Fatal("not found")
		}
	}
}

package results

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
)

func TestSealRoundTrip(t *testing.T) {
	body := []byte("123456789") // the usual test vector of CRC32C
	line := seal("trial", body)
	if want := `{"crc32c":"e3069283","trial":123456789}` + "\n"; string(line) != want {
		t.Errorf("sealed as %s, want %s", line, want)
	}
	got, err := unseal("trial", bytes.TrimSuffix(line, []byte("\n")))
	if err != nil || !bytes.Equal(got, body) {
		t.Errorf("unsealed as %s, %v", got, err)
	}
	if _, err := unseal("interval", bytes.TrimSuffix(line, []byte("\n"))); err == nil {
		t.Error("a trial was accepted as an interval")
	}
	if _, err := unseal("trial", nil); err == nil {
		t.Error("an empty line was accepted as a trial")
	}
}

// A newer folder names the pushbench that can read it, whatever its other fields are.
func TestNewerSchemaNamesItsWriter(t *testing.T) {
	for body, want := range map[string]string{
		`{"schema":3,"tool":{"version":"9.1.0"},"moon":1}`: "its schema is 3, and this pushbench reads 1 to 2: use pushbench 9.1.0, which wrote it",
		`{"schema":3,"tool":{"version":"\u001b"}}`:         "use the pushbench that wrote it",
		`{"schema":3,"tool":"9.1.0"}`:                      "use the pushbench that wrote it",
		`{"schema":3}`:                                     "use the pushbench that wrote it",
	} {
		_, _, err := decodeManifest(bytes.TrimSuffix(seal("manifest", []byte(body)), []byte("\n")))
		if err == nil || !strings.HasSuffix(err.Error(), want) {
			t.Errorf("%s: %v, want %q", body, err, want)
		}
	}
}

// FuzzDecode gives every body a valid checksum, to test the validation of a folder that is
// malicious rather than corrupt. It is read as each version.
func FuzzDecode(f *testing.F) {
	for _, body := range []string{
		`{}`, `{"schema":2,"status":"INTERRUPTED","transports":["sse"]}`, `{"schema":3}`,
		`{"repetition":1,"transport":"sse","status":"COMPLETE","latency":{"histogram":{"count":1,"max_ns":5,"overflow":1}}}`,
		`{"repetition":1,"transport":"sse","length_ns":1,"latency":{"count":0,"max_ns":0,"hdr":"` + emptyHistogram + `"}}`,
		`{"repetition":1,"transport":"sse","length_ns":1,"latency":{"count":0,"max_ns":0,"hdr":"` + emptyHistogram[:8] + `\n` + emptyHistogram[8:] + `"}}`,
		`{"schema":1,"status":"PARTIAL","transports":["sse"],"cases":[{"name":"sse flush=5ms","transport":"sse","stack":"x"}],"orders":[["sse flush=5ms"]]}`,
		`{"schema":1,"status":"COMPLETE","servers":{"sse stack=x":""},"claims":[{"text":"owed>0","figure":"owed","op":">"}],"conditions":["on purpose, servers differ in stack"]}`,
		`{"block":1,"transport":"sse","status":"SATURATED","gates":null,"theory":[{"metric":"owed"}],"settings":{"server stack":"not shown"},"visits":{"came":0}}`,
		`{"block":1,"repetition":1,"transport":"sse"}`,
	} {
		f.Add([]byte(body))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		line := func(kind string) []byte { return bytes.TrimSuffix(seal(kind, body), []byte("\n")) }
		if m, _, err := decodeManifest(line("manifest")); err == nil {
			if _, err := json.Marshal(m); err != nil {
				t.Errorf("an accepted manifest cannot be written: %v", err)
			}
		}
		for version, d := range decoders {
			if trial, err := decode[Trial](d, "trial", line("trial")); err == nil {
				Pool([]Trial{trial}) // an accepted trial can be pooled
			}
			if i, err := decode[Interval](d, "interval", line("interval")); err == nil {
				if line, err := HlogLine("", i); err != nil || bytes.IndexByte(line, '\n') != len(line)-1 {
					t.Errorf("version %d: an accepted interval is not one line of a log: %q, %v", version, line, err)
				}
			}
		}
	})
}

func FuzzParseSums(f *testing.F) {
	f.Add([]byte(strings.Repeat("0", 64) + "  manifest.json\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		sums, err := parseSums(data)
		if err == nil && len(sums) < len(measured) {
			t.Errorf("%d checksums were accepted", len(sums))
		}
	})
}

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

// FuzzDecode gives every body a valid checksum, to test the validation of a folder that is
// malicious rather than corrupt.
func FuzzDecode(f *testing.F) {
	for _, body := range []string{
		`{}`, `{"schema":1,"status":"PARTIAL","transports":["sse"]}`, `{"schema":2}`,
		`{"block":1,"transport":"sse","status":"COMPLETE","latency":{"histogram":{"count":1,"max_ns":5,"overflow":1}}}`,
		`{"block":1,"transport":"sse","length_ns":1,"latency":{"count":0,"max_ns":0,"hdr":"` + emptyHistogram + `"}}`,
		`{"block":1,"transport":"sse","length_ns":1,"latency":{"count":0,"max_ns":0,"hdr":"` + emptyHistogram[:8] + `\n` + emptyHistogram[8:] + `"}}`,
	} {
		f.Add([]byte(body))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		line := func(kind string) []byte { return bytes.TrimSuffix(seal(kind, body), []byte("\n")) }
		if m, err := decodeManifest(line("manifest")); err == nil {
			if _, err := json.Marshal(m); err != nil {
				t.Errorf("an accepted manifest cannot be written: %v", err)
			}
		}
		if trial, err := decode[Trial]("trial", line("trial")); err == nil {
			Pool([]Trial{trial}) // an accepted trial can be pooled
		}
		if i, err := decode[Interval]("interval", line("interval")); err == nil {
			if line, err := HlogLine("", i); err != nil || bytes.IndexByte(line, '\n') != len(line)-1 {
				t.Errorf("an accepted interval is not one line of a log: %q, %v", line, err)
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

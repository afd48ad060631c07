package results

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"

	"pushbench/results/former"
)

// castagnoli is the polynomial of CRC32C, RFC 3720 appendix B.4.
var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// seal wraps a JSON value with the checksum of its bytes, and appends a line end:
//
//	{"crc32c":"0a1b2c3d","trial":{…}}
//
// The line is valid JSON, and a truncated or corrupt one is detected.
func seal(kind string, body []byte) []byte {
	return append(append([]byte(sealPrefix(kind, body)), body...), "}\n"...)
}

func sealPrefix(kind string, body []byte) string {
	return fmt.Sprintf(`{"crc32c":"%08x",%q:`, crc32.Checksum(body, castagnoli), kind)
}

// unseal returns the value in a line of seal, without its line end.
func unseal(kind string, line []byte) ([]byte, error) {
	start := len(sealPrefix(kind, nil))
	if len(line) <= start || line[len(line)-1] != '}' {
		return nil, fmt.Errorf("not a %s with a checksum", kind)
	}
	body := line[start : len(line)-1]
	if string(line[:start]) != sealPrefix(kind, body) {
		return nil, errors.New("the checksum does not match")
	}
	return body, nil
}

// decodeStrict reads one JSON value. It returns an error for a field that v does not have.
func decodeStrict(data []byte, v any) error {
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		return err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errors.New("more than one value")
	}
	return nil
}

// A decoder has the former names of a format version, by kind of value. nil: the names are current.
type decoder map[string]former.Names

// decoders are those of the versions that this package reads.
var decoders = map[int]decoder{
	1:      {"manifest": manifest1, "trial": trial1, "interval": interval1},
	Schema: nil,
}

// decodeManifest reads a manifest file, and returns the decoder of the other files. It checks the
// schema first: a newer one may have fields that this version does not know.
func decodeManifest(file []byte) (m Manifest, d decoder, err error) {
	line := bytes.TrimSuffix(file, []byte("\n"))
	body, err := unseal("manifest", line)
	if err != nil {
		return m, d, err
	}
	var version struct {
		Schema int `json:"schema"`
	}
	if err := json.Unmarshal(body, &version); err != nil {
		return m, d, err
	}
	d, known := decoders[version.Schema]
	if !known {
		return m, d, fmt.Errorf("its schema is %d, and this pushbench reads 1 to %d: use %s", version.Schema, Schema, writer(body))
	}
	m, err = decode[Manifest](d, "manifest", line)
	return m, d, err
}

// writer names the pushbench that wrote a manifest of another version, whose other fields may differ.
func writer(manifest []byte) string {
	var by struct {
		Tool struct {
			Version string `json:"version"`
		} `json:"tool"`
	}
	if json.Unmarshal(manifest, &by) != nil || Plain(by.Tool.Version) == "" {
		return "the pushbench that wrote it"
	}
	return "pushbench " + Plain(by.Tool.Version) + ", which wrote it"
}

// decode reads a manifest, or a line of trials.jsonl or intervals.jsonl.
func decode[T interface{ check() error }](d decoder, kind string, line []byte) (v T, err error) {
	body, err := unseal(kind, line)
	if err != nil {
		return v, err
	}
	if names := d[kind]; names != nil {
		if body, err = names.Translate(body); err != nil {
			return v, err
		}
	}
	if err := decodeStrict(body, &v); err != nil {
		return v, err
	}
	return v, v.check()
}

// encodeLine returns a line of a .jsonl file.
func encodeLine(kind string, v any) ([]byte, error) {
	body, err := json.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("encode %s: %w", kind, err)
	}
	return seal(kind, body), nil
}

package trace

import (
	"fmt"
	"strings"
	"testing"
)

// The frame parser follows RFC 6455 alone: the self-test compares the clients with it.
func TestFrameHeadersAreParsed(t *testing.T) {
	for _, test := range []struct {
		raw          []byte
		header, size int
		ok           bool
	}{
		{[]byte{0x81, 5}, 2, 5, true},
		{[]byte{0x81, 0x85, 0, 0, 0, 0}, 6, 5, true},
		{[]byte{0x81, 126, 1, 0}, 4, 256, true},
		{[]byte{0x81, 0x80 | 127, 0, 0, 0, 0, 0, 1, 0, 0}, 14, 65536, true},
		{[]byte{0x81, 126, 1}, 0, 0, false},
		{[]byte{0x81}, 0, 0, false},
	} {
		whole := append(test.raw, make([]byte, max(0, test.header+test.size-len(test.raw)))...)
		got, ok := (&parser{pending: whole, describe: describe}).frame()
		if suffix := fmt.Sprintf("(frame header %d B)", test.header); ok != test.ok || ok && (got.bytes != len(whole) || !strings.HasSuffix(got.text, suffix)) {
			t.Errorf("%x and %d bytes: %+v, %v; want %s, %v", test.raw, test.size, got, ok, suffix, test.ok)
		}
	}
}

package payload

import (
	"encoding/json"
	"errors"
	"testing"
)

func TestRoundTrip(t *testing.T) {
	for _, size := range []int{Min, Min + 1, 32, 64, 128, 1024, 65536} {
		for _, index := range []uint32{0, 1, 7, 1 << 20, 1<<32 - 1} {
			data := Append(nil, 0xdeadbeef, index, size)
			if len(data) != size {
				t.Fatalf("size %d: got %d bytes", size, len(data))
			}
			run, got, err := Parse(data)
			if err != nil || run != 0xdeadbeef || got != index {
				t.Errorf("size %d index %d: Parse = %x, %d, %v", size, index, run, got, err)
			}
		}
	}
}

func TestPayloadHasNothingToEscape(t *testing.T) {
	data := Append(nil, 1, 2, 4096)
	quoted, _ := json.Marshal(string(data))
	if len(quoted) != len(data)+2 {
		t.Errorf("%d bytes as a JSON string, want %d: some were escaped", len(quoted), len(data)+2)
	}
}

func TestEveryBitErrorIsDetected(t *testing.T) {
	good := Append(nil, 0x01020304, 99, 64)
	for i := range good {
		for bit := range 8 {
			damaged := append([]byte(nil), good...)
			damaged[i] ^= 1 << bit
			if _, _, err := Parse(damaged); err == nil {
				t.Fatalf("byte %d bit %d flipped: no error", i, bit)
			}
		}
	}
}

func TestForeign(t *testing.T) {
	for _, s := range []string{"", "p", "hello, world, this is not a pushbench payload"} {
		if _, _, err := Parse([]byte(s)); !errors.Is(err, ErrForeign) {
			t.Errorf("Parse(%q) = %v, want %v", s, err, ErrForeign)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add(Append(nil, 1, 2, 64))
	f.Add([]byte("p"))
	f.Fuzz(func(t *testing.T, data []byte) {
		run, index, err := Parse(data)
		if err == nil && len(data) < Min {
			t.Errorf("accepted %q as %x/%d", data, run, index)
		}
	})
}

func BenchmarkParse128(b *testing.B) {
	data := Append(nil, 1, 2, 128)
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := Parse(data); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkAppend128(b *testing.B) {
	buf := make([]byte, 0, 256)
	b.ReportAllocs()
	for b.Loop() {
		buf = Append(buf[:0], 1, 2, 128)
	}
}

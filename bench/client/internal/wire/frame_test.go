package wire

import (
	"bytes"
	"errors"
	"strings"
	"testing"
)

func TestParseFrame(t *testing.T) {
	for _, c := range []struct {
		in   string
		want Frame
		err  error
	}{
		{"\x81\x02{}", Frame{Opcode: OpText, Final: true, Body: []byte("{}"), Size: 4}, nil},
		{"\x01\x01{", Frame{Opcode: OpText, Body: []byte("{"), Size: 3}, nil},
		{"\x80\x00", Frame{Opcode: OpContinue, Final: true, Size: 2}, nil},
		{"\x89\x01x", Frame{Opcode: OpPing, Final: true, Body: []byte("x"), Size: 3}, nil},
		{"\x81\x7e\x00\x7e" + strings.Repeat("x", 126), Frame{Opcode: OpText, Final: true, Body: []byte(strings.Repeat("x", 126)), Size: 130}, nil},
		{"\x81\x7e\x00\x7d", Frame{}, ErrFrame},
		{"\x81\x7f\x00\x00\x00\x00\x00\x00\xff\xff", Frame{}, ErrFrame},
		{"\x81\x7f\x80\x00\x00\x00\x00\x00\x00\x00", Frame{}, ErrTooLong},
		{"\xc1\x00", Frame{}, ErrFrame},
		{"\x83\x00", Frame{}, ErrFrame},
		{"\x8b\x00", Frame{}, ErrFrame},
		{"\x81\x80", Frame{}, ErrFrame},
		{"\x09\x00", Frame{}, ErrFrame},
		{"\x88\x7e", Frame{}, ErrFrame},
	} {
		got, err := ParseFrame([]byte(c.in))
		if !errors.Is(err, c.err) || got.Opcode != c.want.Opcode && err == nil || got.Final != c.want.Final && err == nil || !bytes.Equal(got.Body, c.want.Body) || got.Size != c.want.Size {
			t.Errorf("%.20q: got %+v, %v; want %+v, %v", c.in, got, err, c.want, c.err)
		}
	}
}

// RFC 6455, section 5.2.
func TestHeaderSize(t *testing.T) {
	for _, c := range []struct{ n, want int }{
		{0, 2}, {1, 2}, {125, 2}, {126, 4}, {127, 4}, {65535, 4}, {65536, 10}, {1 << 40, 10},
	} {
		if got, want := len(appendHeader(nil, OpText, c.n, [4]byte{})), c.want+4; got != want {
			t.Errorf("%d bytes, masked: got %d, want %d", c.n, got, want)
		}
	}
}

// FuzzFrames checks that a client's frame, unmasked, contains the body.
func FuzzFrames(f *testing.F) {
	f.Add([]byte("hello"), uint32(0x01020304))
	f.Add(make([]byte, 126), uint32(0))
	f.Add(make([]byte, 65536), uint32(1<<31))
	f.Fuzz(func(t *testing.T, body []byte, bits uint32) {
		key := [4]byte{byte(bits), byte(bits >> 8), byte(bits >> 16), byte(bits >> 24)}
		frame := appendHeader(nil, OpText, len(body), key)
		masked := bytes.Clone(body)
		mask(masked, key)
		for i := range masked {
			if masked[i] != body[i]^key[i%4] {
				t.Fatalf("byte %d of %d is masked incorrectly", i, len(body))
			}
		}
		sealed, header := SealFrame(append(make([]byte, FrameRoom), body...), OpText)
		opened, text := OpenSealed(bytes.Clone(sealed))
		if header != len(frame) || opened != header || !bytes.Equal(text, body) {
			t.Fatalf("sealed with a header of %d bytes and opened with %d, want %d and the same body", header, opened, len(frame))
		}
		// Without the mask it is a server's frame, which parses only when it is complete.
		frame[1] &^= 0x80
		plain := append(frame[:len(frame)-4:len(frame)-4], body...)
		got, err := ParseFrame(plain)
		if err != nil || got.Size != len(plain) || !bytes.Equal(got.Body, body) || !got.Final || got.Opcode != OpText {
			t.Fatalf("got %+v, %v, want the complete frame", got, err)
		}
		if got, err := ParseFrame(plain[:len(plain)-1]); err != nil || got.Size != 0 {
			t.Fatalf("incomplete: got %+v, %v, want size 0", got, err)
		}
	})
}

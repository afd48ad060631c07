//go:build !race || nightly

package conformance

import (
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
)

// A wsCase is a case of the public WebSocket test suite (Autobahn), translated to PROTOCOL.md. The suite
// expects an echo. Here its payload is published: the same text arrives as the data of a message. A message that is not a
// publication is refused.
type wsCase struct {
	id       string // as in the suite
	frames   []string
	later    func() []string // makes frames that are long
	segment  int             // bytes per write when the case is sent as the suite sends it; 0: all at once
	lockstep bool            // each frame is sent once the message of the previous one has arrived

	pongs     []string // in this order
	data      []string // messages that are acknowledged and delivered, in this order
	refused   string   // the response to a publication that is refused: a code
	close     int      // code of the server's close frame; 0: the socket is open afterwards
	deviation string   // why the outcome is not that of RFC 6455; PROTOCOL.md lists it
}

// Close codes. withoutCode is an empty close frame.
const (
	protocolError  = 1002
	binaryMessage  = 1003
	withoutCode    = 1005
	notUTF8        = 1007
	notPublication = 1008
	tooLong        = 1009
)

// Opcodes of RFC 6455, section 5.2, and the bit of the last frame of a message.
const (
	continuation = 0
	text         = 1
	binaryData   = 2
	closing      = 8
	ping         = 9
	pong         = 10
	last         = 0x80
)

// clientFrame returns a masked frame; first is its first byte.
func clientFrame(first byte, payload string) string {
	mask := [4]byte{0x37, 0xfa, 0x21, 0x3d}
	b := []byte{first}
	switch n := len(payload); {
	case n < 126:
		b = append(b, 0x80|byte(n))
	case n < 1<<16:
		b = binary.BigEndian.AppendUint16(append(b, 0x80|126), uint16(n))
	default:
		b = binary.BigEndian.AppendUint64(append(b, 0x80|127), uint64(n))
	}
	b = append(b, mask[:]...)
	for i := range len(payload) {
		b = append(b, payload[i]^mask[i%4])
	}
	return string(b)
}

const (
	publicationStart = `{"id":1,"topic":"a","data":"`
	publicationEnd   = `"}`
)

// publish returns the message that publishes data, which needs no escapes but that of NUL.
func publish(data string) string {
	return publicationStart + strings.ReplaceAll(data, "\x00", `\u0000`) + publicationEnd
}

// filled returns the data of the publication that is n bytes long.
func filled(n int) string { return strings.Repeat("*", n-len(publish(""))) }

// fragments returns a message in frames, each with one of the parts.
func fragments(opcode byte, parts ...string) (frames []string) {
	for i, part := range parts {
		first := opcode
		if i > 0 {
			first = continuation
		}
		if i == len(parts)-1 {
			first |= last
		}
		frames = append(frames, clientFrame(first, part))
	}
	return frames
}

// pieces cuts a text into pieces of n bytes.
func pieces(s string, n int) (all []string) {
	for ; len(s) > n; s = s[n:] {
		all = append(all, s[:n])
	}
	return append(all, s)
}

func one(first byte, payload string) []string { return []string{clientFrame(first, payload)} }

func join(parts ...[]string) (all []string) {
	for _, p := range parts {
		all = append(all, p...)
	}
	return all
}

// wsCases returns the cases of the groups 1 to 7, 9 and 10, which are all without compression.
func wsCases() (all []wsCase) {
	add := func(c wsCase, id string, args ...any) {
		c.id = fmt.Sprintf(id, args...)
		all = append(all, c)
	}
	framingCases(add)
	pingCases(add)
	reservedCases(add)
	fragmentCases(add)
	utf8Cases(add)
	closeCases(add)
	limitCases(add)
	return all
}

type addCase func(c wsCase, id string, args ...any)

// framingCases has group 1: messages of all encodings of a length.
func framingCases(add addCase) {
	for i, n := range []int{0, 125, 126, 127, 128, 65535, 65536, 65536} {
		segment := 0
		if i == 7 {
			segment = 997
		}
		c := wsCase{frames: one(last|text, ""), close: notPublication}
		if n > 0 {
			data := filled(n)
			c = wsCase{frames: one(last|text, publish(data)), segment: segment, data: []string{data}}
		}
		add(c, "1.1.%d", i+1)
		add(wsCase{frames: one(last|binaryData, strings.Repeat("\xfe", n)), segment: segment, close: binaryMessage}, "1.2.%d", i+1)
	}
}

// pingCases has group 2.
func pingCases(add addCase) {
	for i, payload := range []string{"", "Hello, world!", "\x00\xff\xfe\xfd\xfc\xfb\x00\xff", strings.Repeat("\xfe", 125)} {
		add(wsCase{frames: one(last|ping, payload), pongs: []string{payload}}, "2.%d", i+1)
	}
	add(wsCase{frames: one(last|ping, strings.Repeat("\xfe", 126)), close: protocolError}, "2.5")
	add(wsCase{frames: one(last|ping, strings.Repeat("\xfe", 125)), segment: 1, pongs: []string{strings.Repeat("\xfe", 125)}}, "2.6")
	end := one(last|closing, "\x03\xe8")
	unasked := one(last|pong, "unsolicited pong payload")
	add(wsCase{frames: join(one(last|pong, ""), end), close: 1000}, "2.7")
	add(wsCase{frames: join(unasked, end), close: 1000}, "2.8")
	add(wsCase{frames: join(unasked, one(last|ping, "ping payload")), pongs: []string{"ping payload"}}, "2.9")
	var ten wsCase
	for i := range 10 {
		payload := fmt.Sprintf("payload-%d", i)
		ten.frames, ten.pongs = append(ten.frames, clientFrame(last|ping, payload)), append(ten.pongs, payload)
	}
	add(ten, "2.10")
	ten.segment = 1
	add(ten, "2.11")
}

// reservedCases has group 3, reserved bits, and group 4, reserved opcodes.
func reservedCases(add addCase) {
	const hello = "Hello, world!"
	good := one(last|text, publish(hello))
	// after is a good message, a bad frame, and a ping that must not be answered.
	after := func(segment int, bad []string) wsCase {
		return wsCase{frames: join(good, bad, one(last|ping, "")), segment: segment, data: []string{hello}, close: protocolError}
	}
	add(wsCase{frames: one(last|1<<4|text, publish(hello)), close: protocolError}, "3.1")
	for i, segment := range []int{0, 0, 1} {
		add(after(segment, one(last|byte(i+2)<<4|text, publish(hello))), "3.%d", i+2)
	}
	add(wsCase{frames: one(last|5<<4|binaryData, "\x00\xff\xfe\xfd\xfc\xfb\x00\xff"), close: protocolError}, "3.5")
	add(wsCase{frames: one(last|6<<4|ping, hello), close: protocolError}, "3.6")
	add(wsCase{frames: one(last|7<<4|closing, ""), close: protocolError}, "3.7")
	for group, first := range []byte{3, 11} {
		add(wsCase{frames: one(last|first, ""), close: protocolError}, "4.%d.1", group+1)
		add(wsCase{frames: one(last|first+1, "reserved opcode payload"), close: protocolError}, "4.%d.2", group+1)
		add(after(0, one(last|first+2, "")), "4.%d.3", group+1)
		add(after(0, one(last|first+3, hello)), "4.%d.4", group+1)
		add(after(1, one(last|first+4, hello)), "4.%d.5", group+1)
	}
}

// fragmentCases has group 5.
func fragmentCases(add addCase) {
	two := []string{"fragment1fragment2"}
	parts := fragments(text, publicationStart+"fragment1", "fragment2"+publicationEnd)
	add(wsCase{frames: []string{clientFrame(ping, "fragment1"), clientFrame(last|continuation, "fragment2")}, close: protocolError}, "5.1")
	add(wsCase{frames: []string{clientFrame(pong, "fragment1"), clientFrame(last|continuation, "fragment2")}, close: protocolError}, "5.2")
	between := join(parts[:1], one(last|ping, "ping payload"), parts[1:])
	nothing := join(one(last|continuation, "non-continuation payload"), one(last|text, publish("Hello, world!")))
	unfinished := join(one(continuation, "non-continuation payload"), one(last|text, publish("Hello, world!")))
	for i, segment := range []int{0, 0, 1} { // at once, frame by frame, byte by byte
		add(wsCase{frames: parts, segment: segment, data: two}, "5.%d", i+3)
		add(wsCase{frames: between, segment: segment, data: two, pongs: []string{"ping payload"}}, "5.%d", i+6)
		add(wsCase{frames: nothing, segment: segment, close: protocolError}, "5.%d", i+9)
		add(wsCase{frames: unfinished, segment: segment, close: protocolError}, "5.%d", i+12)
	}
	add(wsCase{frames: join(parts, one(continuation, "fragment3"), one(last|text, "fragment4")), data: two, close: protocolError}, "5.15")
	add(wsCase{frames: join(one(continuation, "fragment1"), parts, one(continuation, "fragment1"), parts), close: protocolError}, "5.16")
	add(wsCase{frames: join(one(last|continuation, "fragment1"), parts, one(last|continuation, "fragment1"), parts), close: protocolError}, "5.17")
	add(wsCase{frames: []string{clientFrame(text, "fragment1"), clientFrame(last|text, "fragment2")}, close: protocolError}, "5.18")
	five := fragments(text, publicationStart+"fragment1", "fragment2", "fragment3", "fragment4", "fragment5"+publicationEnd)
	legal := wsCase{
		frames: join(five[:2], one(last|ping, "pongme 1!"), five[2:4], one(last|ping, "pongme 2!"), five[4:]),
		pongs:  []string{"pongme 1!", "pongme 2!"},
		data:   []string{"fragment1fragment2fragment3fragment4fragment5"},
	}
	add(legal, "5.19")
	add(legal, "5.20")
}

const greek = "\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5"

// utf8Cases has group 6.
func utf8Cases(add addCase) {
	add(wsCase{frames: one(last|text, ""), close: notPublication}, "6.1.1")
	add(wsCase{frames: fragments(text, "", "", ""), close: notPublication}, "6.1.2")
	add(wsCase{frames: fragments(text, "", publish("middle frame payload"), ""), data: []string{"middle frame payload"}}, "6.1.3")
	const mixed = "Hello-µ@ßöäüàá-UTF-8!!"
	add(wsCase{frames: one(last|text, publish(mixed)), data: []string{mixed}}, "6.2.1")
	add(wsCase{frames: fragments(text, publicationStart+mixed[:15], mixed[15:]+publicationEnd), data: []string{mixed}}, "6.2.2")
	add(wsCase{frames: fragments(text, pieces(publish(mixed), 1)...), data: []string{mixed}}, "6.2.3")
	add(wsCase{frames: fragments(text, pieces(publish(greek), 1)...), data: []string{greek}}, "6.2.4")
	surrogate := publish(greek + "\xed\xa0\x80" + "edited")
	add(wsCase{frames: one(last|text, surrogate), close: notUTF8}, "6.3.1")
	add(wsCase{frames: fragments(text, pieces(surrogate, 1)...), close: notUTF8}, "6.3.2")
	// The suite waits between the parts, to see whether the server fails before the end of the message. It need not.
	const beyond = "\xf4\x90\x80\x80"
	early := fragments(text, publicationStart+greek, beyond, "edited"+publicationEnd)
	late := fragments(text, publicationStart+greek+beyond[:1], beyond[1:2], beyond[2:]+"edited"+publicationEnd)
	add(wsCase{frames: early, close: notUTF8}, "6.4.1")
	add(wsCase{frames: late, close: notUTF8}, "6.4.2")
	whole := publish(greek + beyond + "edited")
	add(wsCase{frames: one(last|text, whole), segment: len(publicationStart + greek), close: notUTF8}, "6.4.3")
	add(wsCase{frames: one(last|text, whole), segment: len(publicationStart+greek) + 1, close: notUTF8}, "6.4.4")
	for i, group := range sequences() {
		for j, s := range group.all {
			c := wsCase{frames: one(last|text, publish(s)), close: notUTF8}
			if group.valid(j) {
				c = wsCase{frames: one(last|text, publish(s)), data: []string{s}}
			}
			add(c, "6.%d.%d", i+5, j+1)
		}
	}
}

// A sequenceGroup is a group of byte sequences, of which some are valid UTF-8.
type sequenceGroup struct {
	valid func(int) bool
	all   []string
}

// sequences returns the groups 6.5 to 6.23: those of Markus Kuhn's test of UTF-8 decoders.
func sequences() []sequenceGroup {
	always, never := func(int) bool { return true }, func(int) bool { return false }
	incomplete := []string{
		"\xc0", "\xe0\x80", "\xf0\x80\x80", "\xf8\x80\x80\x80", "\xfc\x80\x80\x80\x80",
		"\xdf", "\xef\xbf", "\xf7\xbf\xbf", "\xfb\xbf\xbf\xbf", "\xfd\xbf\xbf\xbf\xbf",
	}
	var prefixes, lonely, others []string
	for i := range len(greek) {
		prefixes = append(prefixes, greek[:i+1])
	}
	complete := map[int]bool{2: true, 5: true, 7: true, 9: true, 11: true} // bytes of the prefixes that end with a character
	var continuations strings.Builder
	for c := 0x80; c < 0xbf; c++ {
		continuations.WriteByte(byte(c))
	}
	for _, m := range [][2]int{{0xc0, 0xdf}, {0xe0, 0xef}, {0xf0, 0xf7}, {0xf8, 0xfb}, {0xfc, 0xfd}} {
		var s strings.Builder
		for c := m[0]; c < m[1]; c++ {
			s.Write([]byte{byte(c), ' '})
		}
		lonely = append(lonely, s.String())
	}
	others = append(others, "\xef\xbf\xbe", "\xef\xbf\xbf")
	for plane := 1; plane <= 16; plane++ { // noncharacters: the last two of each plane
		others = append(others, string(rune(plane<<16|0xfffe)), string(rune(plane<<16|0xffff)))
	}
	return []sequenceGroup{
		{always, []string{"hello$world", "hello¢world", "hello€world", "hello\xf0\xa4\xad\xa2world", greek}},
		{func(i int) bool { return complete[i+1] }, prefixes},
		{always, []string{"\x00", "\xc2\x80", "\xe0\xa0\x80", "\xf0\x90\x80\x80"}},
		{never, []string{"\xf8\x88\x80\x80\x80", "\xfc\x84\x80\x80\x80\x80"}},
		{always, []string{"\x7f", "\xdf\xbf", "\xef\xbf\xbf", "\xf4\x8f\xbf\xbf"}},
		{never, []string{"\xf7\xbf\xbf\xbf", "\xfb\xbf\xbf\xbf\xbf", "\xfd\xbf\xbf\xbf\xbf\xbf"}},
		{func(i int) bool { return i < 4 }, []string{"\xed\x9f\xbf", "\xee\x80\x80", "\xef\xbf\xbd", "\xf4\x8f\xbf\xbf", "\xf4\x90\x80\x80"}},
		{never, []string{"\x80", "\xbf", "\x80\xbf", "\x80\xbf\x80", "\x80\xbf\x80\xbf", "\x80\xbf\x80\xbf\x80", "\x80\xbf\x80\xbf\x80\xbf", continuations.String()}},
		{never, lonely},
		{never, incomplete},
		{never, []string{strings.Join(incomplete, "")}},
		{never, []string{"\xfe", "\xff", "\xfe\xfe\xff\xff"}},
		{never, []string{"\xc0\xaf", "\xe0\x80\xaf", "\xf0\x80\x80\xaf", "\xf8\x80\x80\x80\xaf", "\xfc\x80\x80\x80\x80\xaf"}},
		{never, []string{"\xc1\xbf", "\xe0\x9f\xbf", "\xf0\x8f\xbf\xbf", "\xf8\x87\xbf\xbf\xbf", "\xfc\x83\xbf\xbf\xbf\xbf"}},
		{never, []string{"\xc0\x80", "\xe0\x80\x80", "\xf0\x80\x80\x80", "\xf8\x80\x80\x80\x80", "\xfc\x80\x80\x80\x80\x80"}},
		{never, []string{"\xed\xa0\x80", "\xed\xad\xbf", "\xed\xae\x80", "\xed\xaf\xbf", "\xed\xb0\x80", "\xed\xbe\x80", "\xed\xbf\xbf"}},
		{never, []string{
			"\xed\xa0\x80\xed\xb0\x80", "\xed\xa0\x80\xed\xbf\xbf", "\xed\xad\xbf\xed\xb0\x80", "\xed\xad\xbf\xed\xbf\xbf",
			"\xed\xae\x80\xed\xb0\x80", "\xed\xae\x80\xed\xbf\xbf", "\xed\xaf\xbf\xed\xb0\x80", "\xed\xaf\xbf\xed\xbf\xbf",
		}},
		{always, others},
		{always, []string{"\ufff9", "\ufffa", "\ufffb", "\ufffc", "\ufffd", "\ufffe", "\uffff"}},
	}
}

// closeCases has group 7.
func closeCases(add addCase) {
	const hello = "Hello World!"
	good, normal := one(last|text, publish(hello)), one(last|closing, "\x03\xe8")
	add(wsCase{frames: join(good, normal), data: []string{hello}, close: 1000}, "7.1.1")
	add(wsCase{frames: join(normal, one(last|closing, "")), close: 1000}, "7.1.2")
	add(wsCase{frames: join(normal, one(last|ping, "")), close: 1000}, "7.1.3")
	add(wsCase{frames: join(normal, good), close: 1000}, "7.1.4")
	parts := fragments(text, publicationStart+"fragment1", "fragment2"+publicationEnd)
	add(wsCase{frames: join(parts[:1], normal, parts[1:]), close: 1000}, "7.1.5")
	long := publish(filled(256 << 10))
	add(wsCase{frames: join(one(last|text, long), good, normal, one(last|ping, "")), refused: "payload_too_large", data: []string{hello}, close: 1000}, "7.1.6")
	add(wsCase{frames: one(last|closing, ""), close: withoutCode}, "7.3.1")
	add(wsCase{frames: one(last|closing, "a"), close: withoutCode, deviation: "a close frame with one byte of payload receives a response"}, "7.3.2")
	add(wsCase{frames: normal, close: 1000}, "7.3.3")
	add(wsCase{frames: one(last|closing, "\x03\xe8"+hello), close: 1000}, "7.3.4")
	add(wsCase{frames: one(last|closing, "\x03\xe8"+strings.Repeat("*", 123)), close: 1000}, "7.3.5")
	add(wsCase{frames: one(last|closing, "\x03\xe8"+strings.Repeat("*", 124)), close: protocolError}, "7.3.6")
	add(wsCase{frames: one(last|closing, "\x03\xe8"+greek+"\xed\xa0\x80edited"), close: protocolError}, "7.5.1")
	withCode := func(code int) []string {
		return one(last|closing, string(binary.BigEndian.AppendUint16(nil, uint16(code))))
	}
	for i, code := range []int{1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999} {
		add(wsCase{frames: withCode(code), close: code}, "7.7.%d", i+1)
	}
	for i, code := range []int{0, 999, 1004, 1005, 1006, 1016, 1100, 2000, 2999} {
		add(wsCase{frames: withCode(code), close: protocolError}, "7.9.%d", i+1)
	}
	for i, code := range []int{5000, 65535} { // for the suite any outcome will do
		add(wsCase{frames: withCode(code), close: protocolError}, "7.13.%d", i+1)
	}
}

// limitCases has group 9, long messages and many messages, and group 10. PROTOCOL.md limits a payload to 64 KiB and a
// message to six times that and 512 bytes.
func limitCases(add addCase) {
	const kib, mib = 1 << 10, 1 << 20
	whole := func(first byte, payload func(int) string, n int) func() []string {
		return func() []string { return one(first, payload(n)) }
	}
	cut := func(opcode byte, payload func(int) string, n int) func() []string {
		return func() []string { return fragments(opcode, pieces(payload(4*mib), n)...) }
	}
	stars := func(n int) string { return publish(filled(n)) }
	octets := func(n int) string { return strings.Repeat("\xfe", n) }
	// The first frame decides: gorilla compares its length with the limit before it knows the kind.
	kindOf := func(n int) int {
		if n > 6*64*kib+512 {
			return tooLong
		}
		return binaryMessage
	}
	for i, n := range []int{64 * kib, 256 * kib, mib, 4 * mib, 8 * mib, 16 * mib} {
		c := wsCase{later: whole(last|text, stars, n)}
		switch {
		case n <= 64*kib:
			c.data = []string{filled(n)}
		case n <= 256*kib:
			c.refused = "payload_too_large"
		default:
			c.close = tooLong
		}
		add(c, "9.1.%d", i+1)
		add(wsCase{later: whole(last|binaryData, octets, n), close: kindOf(n)}, "9.2.%d", i+1)
	}
	for i, n := range []int{64, 256, kib, 4 * kib, 16 * kib, 64 * kib, 256 * kib, mib, 4 * mib} {
		add(wsCase{later: cut(text, stars, n), close: tooLong}, "9.3.%d", i+1)
		add(wsCase{later: cut(binaryData, octets, n), close: kindOf(n)}, "9.4.%d", i+1)
	}
	for i, n := range []int{64, 128, 256, 512, kib, 2 * kib} {
		add(wsCase{later: whole(last|text, stars, mib), segment: n, close: tooLong}, "9.5.%d", i+1)
		add(wsCase{later: whole(last|binaryData, octets, mib), segment: n, close: tooLong}, "9.6.%d", i+1)
	}
	for i, n := range []int{0, 16, 64, 256, kib, 4 * kib} {
		data := strings.Repeat("*", n)
		thousand := func() []string { return slices.Repeat(one(last|text, publish(data)), 1000) }
		add(wsCase{later: thousand, lockstep: true, data: slices.Repeat([]string{data}, 1000)}, "9.7.%d", i+1)
		add(wsCase{later: whole(last|binaryData, octets, n), close: binaryMessage}, "9.8.%d", i+1) // closed at the first of 1,000
	}
	data := filled(65536)
	add(wsCase{frames: fragments(text, pieces(publish(data), 1300)...), data: []string{data}}, "10.1.1")
}

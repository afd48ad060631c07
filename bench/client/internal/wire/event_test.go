package wire

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"
)

// chunked returns the body in chunked coding, in pieces of n bytes.
func chunked(body string, n int) string {
	var b strings.Builder
	for len(body) > 0 {
		piece := body[:min(n, len(body))]
		body = body[len(piece):]
		fmt.Fprintf(&b, "%x\r\n%s\r\n", len(piece), piece)
	}
	return b.String()
}

const lastChunk = "0\r\n\r\n"

// readEvents reads to the end and returns the events and the error at the end.
func readEvents(in io.Reader, buffer int) (events []string, end error) {
	return readPieces(new(Events), in, buffer)
}

// readPieces does the same for the pieces of any stream.
func readPieces(p Pieces, in io.Reader, buffer int) (all []string, end error) {
	for buf := make([]byte, buffer); ; {
		size, readErr := in.Read(buf)
		for rest := buf[:size]; len(rest) > 0; {
			data, ok, n, err := p.Next(rest)
			if err != nil {
				return all, err
			}
			if ok {
				all = append(all, string(data))
			}
			rest = rest[n:]
		}
		clear(buf) // as the next read overwrites it
		if readErr != nil {
			if errors.Is(readErr, io.EOF) {
				readErr = io.ErrUnexpectedEOF // the regular end is the last chunk
			}
			return all, readErr
		}
	}
}

type stream struct {
	name, body string
	want       []string
}

var streams = []stream{
	{"one event", "id: e.1\ndata: {}\n\n", []string{"{}"}},
	{"two events", "data: a\n\ndata: b\n\n", []string{"a", "b"}},
	{"a comment is a heartbeat", ": heartbeat\n\ndata: a\n\n", []string{"", "a"}},
	{"a comment within an event", "data: a\n: why\nid: 1\n\n", []string{"a"}},
	{"many data lines", "data: a\ndata:\ndata: b\n\n", []string{"a\n\nb"}},
	{"only one space is removed", "data:  a\n\ndata:b\n\n", []string{" a", "b"}},
	{"CR LF", "id: 1\r\ndata: a\r\ndata: b\r\n\r\ndata: c\r\n\r\n", []string{"a\nb", "c"}},
	{"CR", "id: 1\rdata: a\r\rdata: b\r\r", []string{"a", "b"}},
	{"fields that only look like data", "database: x\nevent: data: y\ndata\n\n", []string{""}},
	{"byte order mark", "\uFEFFdata: a\n\n", []string{"a"}},
	{"an incomplete event at the end is discarded", "data: a\n\ndata: lost\n", []string{"a"}},
	{"longer than the buffer", "data: " + strings.Repeat("x", 100) + "\n\n", []string{strings.Repeat("x", 100)}},
	{"nothing", "", nil},
}

// However the bytes are split, into chunks and into reads, the events are the same.
func TestEventsDoNotDependOnReadSizes(t *testing.T) {
	checkAllSplits(t, func() Pieces { return new(Events) }, streams)
}

func TestLinesDoNotDependOnReadSizes(t *testing.T) {
	checkAllSplits(t, func() Pieces { return new(Lines) }, []stream{
		{"a line", "{}\n", []string{"{}"}},
		{"a heartbeat is an empty line", "{}\n\n\n[]\n", []string{"{}", "", "", "[]"}},
		{"CR LF", "{}\r\n[]\r\n", []string{"{}", "[]"}},
		{"an incomplete line at the end is discarded", "{}\n[", []string{"{}"}},
		{"longer than the buffer", strings.Repeat("x", 100) + "\n", []string{strings.Repeat("x", 100)}},
		{"nothing", "", nil},
	})
}

func checkAllSplits(t *testing.T, start func() Pieces, streams []stream) {
	for _, stream := range streams {
		for n := 1; n <= len(stream.body)+1; n++ {
			in := chunked(stream.body, n) + lastChunk
			for name, reader := range map[string]io.Reader{"at once": strings.NewReader(in), "byte by byte": iotest.OneByteReader(strings.NewReader(in)), "data with the error": iotest.DataErrReader(strings.NewReader(in))} {
				got, end := readPieces(start(), reader, 16)
				// The parser does not wait for a LF after a CR, so the empty line may be reported before.
				if fmt.Sprintf("%q", got) != fmt.Sprintf("%q", stream.want) || !errors.Is(end, io.EOF) {
					t.Errorf("%s, chunks of %d, %s: got %q, %v, want %q, %v", stream.name, n, name, got, end, stream.want, io.EOF)
				}
			}
		}
	}
}

// A stream that ends anywhere before the end of its last chunk is incomplete.
func TestIncompleteStreamIsNotARegularEnd(t *testing.T) {
	whole := chunked("id: 1\ndata: a\n\ndata: b\n\n", 7) + lastChunk
	for n := range len(whole) {
		if _, end := readEvents(strings.NewReader(whole[:n]), 16); !errors.Is(end, io.ErrUnexpectedEOF) {
			t.Errorf("%q: got %v, want %v", whole[:n], end, io.ErrUnexpectedEOF)
		}
	}
}

func TestChunks(t *testing.T) {
	for _, c := range []struct {
		in   string
		want error
	}{
		{"3\r\nabc\r\n0\r\n\r\n", io.EOF},
		{"3;name=value\r\nabc\r\n0;last\r\n\r\n", io.EOF},
		{"0A\r\n0123456789\r\n0\r\nTrailer: x\r\n\r\n", io.EOF},
		{"3\r\nabcd\r\n", ErrChunk},
		{"3\r\nabc0\r\n\r\n", ErrChunk},
		{"-3\r\nabc\r\n", ErrChunk},
		{"x\r\nabc\r\n", ErrChunk},
		{"\r\nabc\r\n", ErrChunk},
		{"ffffffffffffffff\r\nabc\r\n", ErrChunk},
		{"80000000\r\nabc\r\n", ErrChunk},
		{"<html><body>502 Bad Gateway</body></html>\r\n", ErrChunk},
		{strings.Repeat("0", 100) + "1\r\na\r\n", ErrChunk},
		{"3\r\nab", io.ErrUnexpectedEOF},
		{"3", io.ErrUnexpectedEOF},
		{"", io.ErrUnexpectedEOF},
		{"0\r\n", io.ErrUnexpectedEOF},
	} {
		if _, end := readEvents(strings.NewReader(c.in), 16); !errors.Is(end, c.want) {
			t.Errorf("%.40q: got %v, want %v", c.in, end, c.want)
		}
	}
}

func TestStreamErrorIsReturned(t *testing.T) {
	want := errors.New("connection reset")
	in := io.MultiReader(strings.NewReader(chunked("data: a\n\n", 4)), iotest.ErrReader(want))
	if got, end := readEvents(in, 16); !errors.Is(end, want) || len(got) != 1 {
		t.Errorf("got %q, %v, want one event and %v", got, end, want)
	}
}

// FuzzEvents reads arbitrary input to its end: no panic, no endless loop, and the same events
// at once as byte by byte.
func FuzzEvents(f *testing.F) {
	for _, stream := range streams {
		f.Add(chunked(stream.body, 5) + lastChunk)
	}
	f.Add("ffffffff\r\n")
	f.Fuzz(func(t *testing.T, in string) {
		events, end := readEvents(strings.NewReader(in), 16)
		single, singleEnd := readEvents(iotest.OneByteReader(strings.NewReader(in)), 16)
		one, two := fmt.Sprintf("%q %v", events, end), fmt.Sprintf("%q %v", single, singleEnd)
		if one != two {
			t.Errorf("%q: got %s at once and %s byte by byte, want the same", in, one, two)
		}
	})
}

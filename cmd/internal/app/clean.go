package app

import (
	"cmp"
	"io"
	"strings"
	"sync"
	"unicode/utf8"

	"pushbench/results"
)

// clearLine is the sequence by which progress rewrites its line.
const clearLine = "\r\x1b[K"

// A Clean writer passes text on without what could control a terminal: file names, errors and answers of
// servers are other people's text. Of escape sequences it passes those that commands write themselves:
// clearLine, and colors if they are allowed. It may be used concurrently.
type Clean struct {
	To     io.Writer
	Colors bool

	mu   sync.Mutex
	rest []byte // the beginning of a character whose end is still to come
	err  error  // the first one of To
}

// Err returns the first error of a write.
func (c *Clean) Err() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.err
}

// Write implements io.Writer.
func (c *Clean) Write(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	text := append(c.rest, p...)
	var b strings.Builder
	for len(text) > 0 && utf8.FullRune(text) {
		r, size := utf8.DecodeRune(text)
		if n := c.ours(text); n > 0 {
			size = n
		} else if r != '\n' && r != '\t' && results.Controls(r) {
			text = text[size:]
			continue
		}
		b.Write(text[:size])
		text = text[size:]
	}
	c.rest = append([]byte(nil), text...)
	if _, err := io.WriteString(c.To, b.String()); err != nil {
		c.err = cmp.Or(c.err, err)
		return 0, err
	}
	return len(p), nil
}

// ours returns the length of the control sequence of a command with which text begins; 0: there is none.
func (c *Clean) ours(text []byte) int {
	switch {
	case strings.HasPrefix(string(text[:min(len(text), len(clearLine))]), clearLine):
		return len(clearLine)
	case len(text) > 1 && text[0] == '\r' && text[1] == '\n':
		return 2
	case !c.Colors || len(text) < 3 || text[0] != '\x1b' || text[1] != '[':
		return 0
	}
	for i, b := range text[2:] {
		switch {
		case b == 'm':
			return 2 + i + 1
		case b != ';' && (b < '0' || b > '9'):
			return 0
		}
	}
	return 0
}

// Raw returns the writer behind a Clean one, for a process that cleans its own output or whose reader is pushbench.
func Raw(w io.Writer) io.Writer {
	if c, ok := w.(*Clean); ok {
		return c.To
	}
	return w
}

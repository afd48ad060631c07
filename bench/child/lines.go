package child

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"sync"
)

// A LineWriter writes values as lines of JSON, each in a single write.
type LineWriter struct {
	mu sync.Mutex // held while writing
	w  io.Writer
}

// NewLineWriter returns a LineWriter on w.
func NewLineWriter(w io.Writer) *LineWriter { return &LineWriter{w: w} }

// Send writes one value. Several goroutines may call it.
func (l *LineWriter) Send(v any) error {
	encoded, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("encode control message: %w", err)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if _, err := l.w.Write(append(encoded, '\n')); err != nil {
		return fmt.Errorf("send control message: %w", err)
	}
	return nil
}

// MaxControlLine is the maximum length of a control message. An outcome with its histograms takes
// about 100 KB.
const MaxControlLine = 16 << 20

// ReadLines reads values of type T, one per line, until the input ends or cannot be decoded.
func ReadLines[T any](r io.Reader, each func(T) error) error {
	scanner := bufio.NewScanner(r)
	scanner.Buffer(make([]byte, 0, 64<<10), MaxControlLine)
	for scanner.Scan() {
		var v T
		if err := json.Unmarshal(scanner.Bytes(), &v); err != nil {
			return fmt.Errorf("control message: %w", err)
		}
		if err := each(v); err != nil {
			return err
		}
	}
	return scanner.Err()
}

package results

import (
	"bytes"
	"compress/zlib"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"sync"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// Histogram bounds: 1 µs to 10 minutes at three significant digits. The resolution is 512 ns at
// the lower end and 0.1 % everywhere.
const (
	lowest  = int64(time.Microsecond)
	highest = int64(10 * time.Minute)
	digits  = 3
)

// A Histogram is a distribution of durations in nanoseconds. The zero value is empty and ready to
// use. It is not safe for concurrent use: use one per worker and merge them at the end.
type Histogram struct {
	hdr      *hdrhistogram.Histogram
	max      int64 // exact; the bucket of the maximum is up to 0.1 % off
	overflow int64 // values outside the bounds: part of Count and Max, but in no bucket

	// A histogram from a file is kept encoded until it is used: a run has thousands of intervals,
	// and each takes 180 KB decoded.
	encoded string
	inFile  int64 // values in encoded
	read    *read // values that were looked up in encoded
}

// read has the values of an encoded histogram by rank, and its mean as that of rank 0. A report looks up
// the same few values thousands of times.
type read struct {
	mu sync.Mutex
	at map[int64]time.Duration
}

// once returns the value of a rank, by a function that computes it from the buckets.
func (h Histogram) once(rank int64, value func(*hdrhistogram.Histogram) time.Duration) time.Duration {
	if h.read == nil {
		return value(h.HDR())
	}
	h.read.mu.Lock()
	defer h.read.mu.Unlock()
	v, ok := h.read.at[rank]
	if !ok {
		v = value(h.HDR())
		h.read.at[rank] = v
	}
	return v
}

// Record adds one duration. A value outside the bounds is counted as overflow, never clamped; so
// is a negative one, as no message can be delivered before its due instant.
func (h *Histogram) Record(d time.Duration) { h.RecordMany(d, 1) }

// RecordMany adds the same duration n times.
func (h *Histogram) RecordMany(d time.Duration, n int64) {
	h.inflate()
	h.max = max(h.max, int64(d))
	if d < 0 || h.hdr.RecordValues(int64(d), n) != nil {
		h.overflow += n
	}
}

// Merge adds all of other's values.
func (h *Histogram) Merge(other Histogram) {
	h.max = max(h.max, other.max)
	h.overflow += other.overflow
	from := other.HDR()
	if from == nil {
		return
	}
	h.inflate()
	// Both have the same bounds, so no value is dropped; if that ever changes, it is counted.
	h.overflow += h.hdr.Merge(from)
}

// inflate decodes h, so that values can be added.
func (h *Histogram) inflate() {
	if h.hdr != nil {
		return
	}
	if h.hdr = h.HDR(); h.hdr == nil {
		h.hdr = hdrhistogram.New(lowest, highest, digits)
	}
	h.encoded, h.inFile, h.read = "", 0, nil
}

// Take returns the recorded values and empties h.
func (h *Histogram) Take() Histogram {
	taken := *h
	*h = Histogram{}
	return taken
}

// Count returns the number of recorded values, including overflow.
func (h Histogram) Count() int64 {
	if h.hdr == nil {
		return h.inFile + h.overflow
	}
	return h.hdr.TotalCount() + h.overflow
}

// Overflow returns the number of values outside the bounds.
func (h Histogram) Overflow() int64 { return h.overflow }

// Max returns the exact largest value.
func (h Histogram) Max() time.Duration { return time.Duration(h.max) }

// Mean returns the mean of the values within the bounds.
func (h Histogram) Mean() time.Duration {
	return h.once(0, func(hdr *hdrhistogram.Histogram) time.Duration {
		if hdr == nil {
			return 0
		}
		return time.Duration(hdr.Mean())
	})
}

// Quantile returns the smallest recorded value that at least the share q of the values does not
// exceed, to 0.1 %. It excludes messages that were never delivered: see Latency.Quantile.
func (h Histogram) Quantile(q float64) time.Duration {
	if h.Count() == 0 {
		return 0
	}
	return h.At(int64(math.Ceil(q * float64(h.Count()))))
}

// At returns the value of the given rank, from 1.
func (h Histogram) At(rank int64) time.Duration {
	inBuckets := h.Count() - h.overflow
	if rank > inBuckets || rank >= h.Count() {
		return h.Max()
	}
	rank = max(rank, 1)
	return h.once(rank, func(hdr *hdrhistogram.Histogram) time.Duration {
		return min(time.Duration(hdr.ValueAtPercentile(100*float64(rank)/float64(inBuckets))), h.Max())
	})
}

// HDR returns the underlying histogram, for writers of its file formats; nil if empty. If h was
// read from a file, each call decodes it.
func (h Histogram) HDR() *hdrhistogram.Histogram {
	if h.hdr != nil || h.encoded == "" {
		return h.hdr
	}
	hdr, err := hdrhistogram.Decode([]byte(h.encoded))
	if err != nil {
		panic(fmt.Sprintf("results: decode a histogram that was valid when read: %v", err))
	}
	return hdr
}

// Equal reports whether both have the same values, to the resolution of the buckets.
func (h Histogram) Equal(other Histogram) bool {
	if h.max != other.max || h.overflow != other.overflow || h.Count() != other.Count() {
		return false
	}
	a, b := h.HDR(), other.HDR()
	return a == nil || b == nil || a.Equals(b)
}

type persisted struct {
	Count    int64         `json:"count"`
	Max      time.Duration `json:"max_ns"`
	Overflow int64         `json:"overflow,omitempty"`
	HDR      string        `json:"hdr,omitempty"` // HdrHistogram V2, compressed, base64
}

// Persisted returns the zero value of the type that MarshalJSON writes, for the schema generator.
func (Histogram) Persisted() any { return persisted{} }

// MarshalJSON writes the histogram in HdrHistogram's V2 compressed encoding.
func (h Histogram) MarshalJSON() ([]byte, error) {
	encoded, err := h.encode()
	if err != nil {
		return nil, err
	}
	return json.Marshal(persisted{Count: h.Count(), Max: h.Max(), Overflow: h.overflow, HDR: encoded})
}

// encode returns the V2 compressed encoding in base64; empty if h is.
func (h Histogram) encode() (string, error) {
	if h.hdr == nil {
		return h.encoded, nil
	}
	encoded, err := h.hdr.Encode(hdrhistogram.V2CompressedEncodingCookieBase)
	if err != nil {
		return "", fmt.Errorf("encode histogram: %w", err)
	}
	return string(encoded), nil
}

// maxEncoded limits the size of an encoded histogram in a file.
const maxEncoded = 1 << 20

// UnmarshalJSON reads the format of MarshalJSON. It returns an error if the counts do not add up.
func (h *Histogram) UnmarshalJSON(data []byte) error {
	var p persisted
	if err := json.Unmarshal(data, &p); err != nil {
		return err
	}
	if err := p.check(); err != nil {
		return fmt.Errorf("decode histogram: %w", err)
	}
	*h = Histogram{max: int64(p.Max), overflow: p.Overflow, encoded: p.HDR, inFile: p.Count - p.Overflow}
	if h.encoded != "" {
		h.read = &read{at: map[int64]time.Duration{}}
	}
	return nil
}

// check returns an error if the histogram cannot be decoded or its counts do not add up.
func (p persisted) check() error {
	if p.Overflow < 0 || p.Max < 0 || p.Count < 0 {
		return errors.New("negative count, maximum or overflow")
	}
	if len(p.HDR) > maxEncoded {
		return fmt.Errorf("%d bytes encoded; allowed: at most %d", len(p.HDR), maxEncoded)
	}
	count, err := p.inBuckets()
	if err != nil {
		return err
	}
	if count+p.Overflow != p.Count {
		return fmt.Errorf("%d values in its buckets and %d of overflow, but a count of %d", count, p.Overflow, p.Count)
	}
	return nil
}

// inBuckets decodes the buckets and counts their values.
func (p persisted) inBuckets() (int64, error) {
	if p.HDR == "" {
		return 0, nil
	}
	if err := checkBounds(p.HDR); err != nil {
		return 0, err
	}
	hdr, err := hdrhistogram.Decode([]byte(p.HDR))
	if err != nil {
		return 0, err
	}
	if p.Overflow == 0 && hdr.TotalCount() > 0 && !hdr.ValuesAreEquivalent(hdr.Max(), int64(p.Max)) {
		return 0, fmt.Errorf("its maximum is %v, but its largest bucket %v", p.Max, time.Duration(hdr.Max()))
	}
	return hdr.TotalCount(), nil
}

// An encodedHeader is the header of an uncompressed V2 histogram, big-endian:
// https://github.com/HdrHistogram/HdrHistogram, AbstractHistogram.encodeIntoByteBuffer.
type encodedHeader struct {
	Cookie, PayloadLength, NormalizingOffset, Digits int32
	Lowest, Highest                                  int64
}

// checkBounds returns an error if an encoded histogram has bounds other than those of this
// package. It runs before decoding: a header alone can require 50 MB of buckets.
func checkBounds(encoded string) error {
	const cookieAndLength = 8
	raw, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil {
		return err
	}
	if len(raw) < cookieAndLength {
		return fmt.Errorf("only %d bytes", len(raw))
	}
	inflated, err := zlib.NewReader(bytes.NewReader(raw[cookieAndLength:]))
	if err != nil {
		return err
	}
	defer inflated.Close()
	var header encodedHeader
	if err := binary.Read(inflated, binary.BigEndian, &header); err != nil {
		return fmt.Errorf("no header: %w", err)
	}
	if header.Lowest != lowest || header.Highest != highest || header.Digits != digits {
		return fmt.Errorf("bounds of %d to %d ns at %d digits; allowed: %d to %d at %d",
			header.Lowest, header.Highest, header.Digits, lowest, highest, digits)
	}
	return nil
}

// Quantile returns the quantile over all expected messages. Messages never delivered count as
// infinite: if the quantile is one of them, infinite is true and ok false, whatever the number of
// observations. ok is also false if fewer than ten independent observations lie beyond q, which are too few to
// print it.
func (l Latency) Quantile(q float64) (d time.Duration, infinite, ok bool) {
	n := l.Histogram.Count() + l.Infinite
	rank := int64(math.Ceil(q * float64(n)))
	switch {
	case rank > l.Histogram.Count():
		return 0, true, false
	case n == 0 || float64(l.Independent)*(1-q) < 10-1e-9:
		return 0, false, false
	default:
		return l.Histogram.At(rank), false, true
	}
}

// Needed returns the number of independent observations that printing the quantile q requires.
func Needed(q float64) int64 { return int64(math.Ceil(10/(1-q) - 1e-6)) }

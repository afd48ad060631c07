package results

import (
	"encoding/json"
	"fmt"
	"math"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// Histogram bounds: 1 µs to 10 minutes at three significant digits, which is
// 512 ns of resolution at the low end and 0.1 % everywhere.
const (
	lowest  = int64(time.Microsecond)
	highest = int64(10 * time.Minute)
	digits  = 3
)

// A Histogram is a distribution of durations in nanoseconds. The zero value is
// empty and ready to use. Not safe for concurrent use: keep one a worker and
// merge at the end.
type Histogram struct {
	hdr      *hdrhistogram.Histogram
	max      int64 // exact: the bucket edge of the histogram is up to 0.1 % off
	overflow int64 // values outside the bounds: in Count and in Max, but in no bucket
}

// Record adds one duration. A value beyond the bounds is counted as overflow,
// never clamped; a negative one too, because nothing arrives before it is due.
func (h *Histogram) Record(d time.Duration) {
	if h.hdr == nil {
		h.hdr = hdrhistogram.New(lowest, highest, digits)
	}
	if int64(d) > h.max {
		h.max = int64(d)
	}
	if d < 0 || h.hdr.RecordValue(int64(d)) != nil {
		h.overflow++
	}
}

// Merge adds all of other's values.
func (h *Histogram) Merge(other Histogram) {
	h.max = max(h.max, other.max)
	h.overflow += other.overflow
	if other.hdr == nil {
		return
	}
	if h.hdr == nil {
		h.hdr = hdrhistogram.New(lowest, highest, digits)
	}
	// Both have the same bounds, so nothing can be dropped; count it if ever they have not.
	h.overflow += h.hdr.Merge(other.hdr)
}

// Take returns what was recorded and leaves h empty.
func (h *Histogram) Take() Histogram {
	taken := *h
	*h = Histogram{}
	return taken
}

// Count is how many values were recorded, overflow included.
func (h Histogram) Count() int64 {
	if h.hdr == nil {
		return h.overflow
	}
	return h.hdr.TotalCount() + h.overflow
}

// Overflow is how many values lay outside the bounds.
func (h Histogram) Overflow() int64 { return h.overflow }

// Max is the exact largest value.
func (h Histogram) Max() time.Duration { return time.Duration(h.max) }

// Mean is the mean of the values within the bounds.
func (h Histogram) Mean() time.Duration {
	if h.hdr == nil {
		return 0
	}
	return time.Duration(h.hdr.Mean())
}

// StdDev is the standard deviation of the values within the bounds.
func (h Histogram) StdDev() time.Duration {
	if h.hdr == nil {
		return 0
	}
	return time.Duration(h.hdr.StdDev())
}

// Quantile is the smallest recorded value that at least the share q of the
// values does not exceed, to 0.1 %. It knows nothing of what never arrived: see Latency.Quantile.
func (h Histogram) Quantile(q float64) time.Duration {
	if h.Count() == 0 {
		return 0
	}
	return h.at(int64(math.Ceil(q * float64(h.Count()))))
}

// at is the value of the given rank, from 1.
func (h Histogram) at(rank int64) time.Duration {
	if h.hdr == nil || rank > h.hdr.TotalCount() || rank >= h.Count() {
		return h.Max()
	}
	rank = max(rank, 1)
	return min(time.Duration(h.hdr.ValueAtPercentile(100*float64(rank)/float64(h.hdr.TotalCount()))), h.Max())
}

// HDR is the underlying histogram for writers of its file formats; nil when empty.
func (h Histogram) HDR() *hdrhistogram.Histogram { return h.hdr }

type persisted struct {
	Count    int64         `json:"count"`
	Max      time.Duration `json:"max_ns"`
	Overflow int64         `json:"overflow,omitempty"`
	HDR      string        `json:"hdr,omitempty"` // HdrHistogram V2, compressed, base64
}

// MarshalJSON writes the histogram in HdrHistogram's V2 compressed encoding.
func (h Histogram) MarshalJSON() ([]byte, error) {
	p := persisted{Count: h.Count(), Max: h.Max(), Overflow: h.overflow}
	if h.hdr != nil {
		encoded, err := h.hdr.Encode(hdrhistogram.V2CompressedEncodingCookieBase)
		if err != nil {
			return nil, fmt.Errorf("encode histogram: %w", err)
		}
		p.HDR = string(encoded)
	}
	return json.Marshal(p)
}

// maxEncoded bounds what a histogram may take in a file, before it is inflated.
const maxEncoded = 1 << 20

// UnmarshalJSON reads what MarshalJSON wrote and refuses counts that do not add up.
func (h *Histogram) UnmarshalJSON(data []byte) (err error) {
	// The decoder panics on some damaged input.
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("decode histogram: %v", r)
		}
	}()
	var p persisted
	if err := json.Unmarshal(data, &p); err != nil {
		return err
	}
	*h = Histogram{max: int64(p.Max), overflow: p.Overflow}
	if p.Overflow < 0 || p.Max < 0 || p.Count < 0 {
		return fmt.Errorf("decode histogram: negative count, maximum or overflow")
	}
	if len(p.HDR) > maxEncoded {
		return fmt.Errorf("decode histogram: %d bytes encoded, at most %d allowed", len(p.HDR), maxEncoded)
	}
	if p.HDR != "" {
		if h.hdr, err = hdrhistogram.Decode([]byte(p.HDR)); err != nil {
			return fmt.Errorf("decode histogram: %w", err)
		}
	}
	if h.Count() != p.Count {
		return fmt.Errorf("decode histogram: %d values in its buckets, its count says %d", h.Count(), p.Count)
	}
	return nil
}

// Quantile is the quantile of everything owed: what never arrived counts as
// infinite, and ok is then false with infinite true. ok is also false when
// fewer than ten independent observations lie beyond q, which is too few to print.
func (l Latency) Quantile(q float64) (d time.Duration, infinite, ok bool) {
	n := l.Histogram.Count() + l.Infinite
	if n == 0 || float64(l.Independent)*(1-q) < 10-1e-9 {
		return 0, false, false
	}
	rank := int64(math.Ceil(q * float64(n)))
	if rank > l.Histogram.Count() {
		return 0, true, false
	}
	return l.Histogram.at(rank), false, true
}

// Needed is how many independent observations the quantile q needs to be printed.
func Needed(q float64) int64 { return int64(math.Ceil(10/(1-q) - 1e-6)) }

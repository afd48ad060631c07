package results_test

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"encoding/json"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"pushbench/results"
)

// draw makes n durations over six decades, in order.
func draw(n int) []time.Duration {
	random := rand.New(rand.NewPCG(1, 2))
	values := make([]time.Duration, n)
	for i := range values {
		values[i] = time.Duration(math.Exp(math.Log(1e3) + random.Float64()*math.Log(1e6)))
	}
	return values
}

func record(values []time.Duration) (h results.Histogram) {
	for _, v := range values {
		h.Record(v)
	}
	return h
}

// readBack encodes and decodes a histogram.
func readBack(t *testing.T, h results.Histogram) (read results.Histogram) {
	t.Helper()
	data, err := json.Marshal(h)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, &read); err != nil {
		t.Fatal(err)
	}
	return read
}

func TestQuantilesEqualThoseOfTheSortedValues(t *testing.T) {
	values := draw(10_000)
	written := record(values)
	slices.Sort(values)
	for name, h := range map[string]results.Histogram{"recorded": written, "read back": readBack(t, written)} {
		for _, q := range []float64{0, 0.001, 0.5, 0.9, 0.99, 0.999, 0.9999, 1} {
			want := values[max(0, int(math.Ceil(q*float64(len(values))))-1)]
			got := h.Quantile(q)
			if off := math.Abs(float64(got - want)); off > max(0.001*float64(want), 512) {
				t.Errorf("%s: quantile %v is %v, want %v", name, q, got, want)
			}
		}
		if h.Max() != values[len(values)-1] {
			t.Errorf("%s: max %v, want %v exactly", name, h.Max(), values[len(values)-1])
		}
	}
}

func TestMergeEqualsRecordingTogether(t *testing.T) {
	values := draw(3000)
	want := record(values)
	var forward, backward results.Histogram
	parts := []results.Histogram{record(values[:1000]), readBack(t, record(values[1000:2500])), {}, record(values[2500:])}
	for i := range parts {
		forward.Merge(parts[i])
		backward.Merge(parts[len(parts)-1-i])
	}
	if !forward.Equal(want) || !backward.Equal(want) {
		t.Errorf("merged counts %d and %d, want %d and the same buckets", forward.Count(), backward.Count(), want.Count())
	}
	read := readBack(t, record(values[:2999]))
	read.Record(values[2999])
	if !read.Equal(want) {
		t.Errorf("recording into a decoded histogram gives %d values, want %d", read.Count(), want.Count())
	}
}

func TestOverflowIsNotClamped(t *testing.T) {
	h := record([]time.Duration{-time.Second, time.Millisecond, time.Hour})
	for name, h := range map[string]results.Histogram{"recorded": h, "read back": readBack(t, h)} {
		if h.Count() != 3 || h.Overflow() != 2 || h.Max() != time.Hour {
			t.Errorf("%s: %d values, %d beyond the bounds, max %v; want 3, 2, 1h", name, h.Count(), h.Overflow(), h.Max())
		}
	}
	only := readBack(t, record([]time.Duration{time.Hour}))
	if only.Count() != 1 || only.Quantile(0.5) != time.Hour {
		t.Errorf("%d values, p50 %v; want 1, 1h", only.Count(), only.Quantile(0.5))
	}
}

func TestEmptyHistogram(t *testing.T) {
	h := readBack(t, results.Histogram{})
	if h.Count() != 0 || h.HDR() != nil || h.Mean() != 0 || h.Quantile(0.5) != 0 {
		t.Errorf("read back as %+v", h)
	}
}

func TestTakeEmptiesTheHistogram(t *testing.T) {
	h := record([]time.Duration{time.Second})
	if taken := h.Take(); taken.Count() != 1 || h.Count() != 0 {
		t.Errorf("%d taken, %d left", taken.Count(), h.Count())
	}
}

func TestLatencyQuantilesIncludeLostMessages(t *testing.T) {
	h := record(draw(980))
	for _, c := range []struct {
		lost, independent int64
		q                 float64
		infinite, ok      bool
	}{
		{lost: 0, independent: 1000, q: 0.99, ok: true},
		{lost: 0, independent: 999, q: 0.99},
		{lost: 20, independent: 1000, q: 0.99, infinite: true},
		{lost: 20, independent: 1000, q: 0.5, ok: true},
		{lost: 980, independent: 1000, q: 0.5, ok: true},
		{lost: 982, independent: 1000, q: 0.5, infinite: true},
	} {
		l := results.Latency{Histogram: h, Infinite: c.lost, Independent: c.independent}
		if _, infinite, ok := l.Quantile(c.q); infinite != c.infinite || ok != c.ok {
			t.Errorf("%d lost of n %d, quantile %v: infinite %v ok %v, want %v %v", c.lost, c.independent, c.q, infinite, ok, c.infinite, c.ok)
		}
	}
	for q, want := range map[float64]int64{0.5: 20, 0.99: 1000, 0.999: 10_000, 0.9999: 100_000} {
		if got := results.Needed(q); got != want {
			t.Errorf("quantile %v requires %d, want %d", q, got, want)
		}
	}
}

// A header alone could require gigabytes of buckets.
func TestForeignBoundsAreRefused(t *testing.T) {
	for _, foreign := range []*hdrhistogram.Histogram{
		hdrhistogram.New(1, math.MaxInt64, 5),
		hdrhistogram.New(1000, int64(10*time.Minute), 2),
	} {
		encoded, err := foreign.Encode(hdrhistogram.V2CompressedEncodingCookieBase)
		if err != nil {
			t.Fatal(err)
		}
		data, err := json.Marshal(map[string]any{"count": 0, "max_ns": 0, "hdr": string(encoded)})
		if err != nil {
			t.Fatal(err)
		}
		var h results.Histogram
		if err := json.Unmarshal(data, &h); err == nil || !strings.Contains(err.Error(), "digits") {
			t.Errorf("got %v, want an error about its bounds", err)
		}
	}
	long := []byte(`{"hdr":"` + strings.Repeat("A", 2<<20) + `"}`)
	if err := json.Unmarshal(long, new(results.Histogram)); err == nil {
		t.Error("2 MiB of histogram were accepted")
	}
}

// The header claims 4 MiB of buckets and has the right bounds; the text is within its limit.
func TestInflatingHistogramIsRefused(t *testing.T) {
	var deflated bytes.Buffer
	w := zlib.NewWriter(&deflated)
	const size = 4 << 20
	header := []any{int32(0x1c849303), int32(size), int32(0), int32(3), int64(time.Microsecond), int64(10 * time.Minute), float64(1)}
	for _, field := range header {
		if err := binary.Write(w, binary.BigEndian, field); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := w.Write(make([]byte, size)); err != nil {
		t.Fatal(err)
	}
	w.Close()
	raw := binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(nil, 0x1c849304), uint32(deflated.Len()))
	data, err := json.Marshal(map[string]any{"count": 0, "max_ns": 0, "hdr": append(raw, deflated.Bytes()...)})
	if err != nil {
		t.Fatal(err)
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	err = json.Unmarshal(data, new(results.Histogram))
	runtime.ReadMemStats(&after)
	if allocated := after.TotalAlloc - before.TotalAlloc; err == nil || allocated > size/4 {
		t.Errorf("%d MiB allocated, error %v", allocated>>20, err)
	}
}

func FuzzHistogram(f *testing.F) {
	for _, h := range []results.Histogram{{}, record(draw(10)), record([]time.Duration{-1, time.Hour})} {
		data, err := json.Marshal(h)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var h results.Histogram
		if json.Unmarshal(data, &h) != nil {
			return
		}
		encoded, err := json.Marshal(h)
		if err != nil {
			t.Fatal(err)
		}
		var same results.Histogram
		if err := json.Unmarshal(encoded, &same); err != nil || !same.Equal(h) {
			t.Fatalf("%s was accepted, and written as %s: %v", bytes.TrimSpace(data), encoded, err)
		}
		if q := h.Quantile(0.99); q < 0 || q > h.Max() {
			t.Fatalf("p99 %v, max %v", q, h.Max())
		}
	})
}

func BenchmarkRecord(b *testing.B) {
	var h results.Histogram
	values := draw(1024)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		h.Record(values[i%len(values)])
	}
}

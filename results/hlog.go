package results

import (
	"cmp"
	"fmt"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"pushbench/results/metric"
)

// hlogHeader is the header of an HdrHistogram interval log, format version 1.3. The times of
// intervals are seconds since the base time, which is the start of the run. The library's writer
// is not used, because Open compares each line with its interval byte by byte, and because the
// library rounds to milliseconds since 1970.
func hlogHeader(started time.Time) []byte {
	return fmt.Appendf(nil, `#[Delivery latency in nanoseconds, one tag a transport]
#[Histogram log format version %s]
#[BaseTime: %.3f (seconds since epoch)]
#[StartTime: %.3[2]f (seconds since epoch), %[3]s]
"StartTimestamp","Interval_Length","Interval_Max","Interval_Compressed_Histogram"
`, hdrhistogram.HISTOGRAM_LOG_FORMAT_VERSION, float64(started.UnixMilli())/1000, started.UTC().Format(time.RFC3339))
}

// emptyHistogram is the encoding of an interval without a message. It is a constant, because
// another version of Go may compress an empty histogram to other bytes.
const emptyHistogram = "HISTFAAAACd42pJpmSzMwMDAyAABzFDqBQMDQ/emkwUM9h+gMoAAAAD//2wMBds="

// hlogLine returns an interval as a line of the log: start and length in seconds, the maximum in
// milliseconds, as the format requires for values in nanoseconds.
func hlogLine(i Interval) ([]byte, error) {
	encoded, err := i.Latency.encode()
	if err != nil {
		return nil, err
	}
	return []byte(hlogPrefix(i) + cmp.Or(encoded, emptyHistogram) + "\n"), nil
}

func hlogPrefix(i Interval) string {
	return fmt.Sprintf("Tag=%s,%.3f,%.3f,%.6f,", keyOf(i.ConfigurationName()), i.At.Seconds(), i.Length.Seconds(), metric.Milliseconds(i.Latency.Max()))
}

// isHlogLine reports whether the line, without its line end, is that of an interval read from a
// file.
func isHlogLine(line string, i Interval) bool {
	return line == hlogPrefix(i)+cmp.Or(i.Latency.encoded, emptyHistogram)
}

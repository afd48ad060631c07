package results

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"pushbench/results/metric"
)

// HlogHeader is the header of an HdrHistogram interval log, format version 1.3. The times of
// intervals are seconds since the base time, which is the start of the run. The library's writer
// is not used, because it rounds to milliseconds since 1970. comment is a line of text.
func HlogHeader(started time.Time, comment string) []byte {
	return fmt.Appendf(nil, `#[%s]
#[Histogram log format version %s]
#[BaseTime: %.3f (seconds since epoch)]
#[StartTime: %.3[3]f (seconds since epoch), %[4]s]
"StartTimestamp","Interval_Length","Interval_Max","Interval_Compressed_Histogram"
`, comment, hdrhistogram.HISTOGRAM_LOG_FORMAT_VERSION, float64(started.UnixMilli())/1000, started.UTC().Format(time.RFC3339))
}

// emptyHistogram is the encoding of an interval without a message. It is a constant, because
// another version of Go may compress an empty histogram to other bytes.
const emptyHistogram = "HISTFAAAACd42pJpmSzMwMDAyAABzFDqBQMDQ/emkwUM9h+gMoAAAAD//2wMBds="

// HlogLine returns an interval as a line of the log: start and length in seconds, the maximum in
// milliseconds, as the format requires for values in nanoseconds. An empty tag is none.
func HlogLine(tag string, i Interval) ([]byte, error) {
	encoded, err := i.Latency.encode()
	if err != nil {
		return nil, err
	}
	if tag != "" {
		tag = "Tag=" + tag + ","
	}
	encoded = strings.Join(strings.Fields(encoded), "") // base64 in a file may contain line ends
	return fmt.Appendf(nil, "%s%.3f,%.3f,%.6f,%s\n", tag, i.At.Seconds(), i.Length.Seconds(), metric.Milliseconds(i.Latency.Max()), cmp.Or(encoded, emptyHistogram)), nil
}

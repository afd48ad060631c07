package results

import (
	"bytes"
	"fmt"
	"strings"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// hlogHeader begins an HdrHistogram interval log, format version 1.3. Intervals
// carry seconds since the base time, which is the run's start. It is written
// here rather than by the library because a line is compared, byte by byte, with
// its interval when a folder is read, and because the library keeps whole
// milliseconds since 1970.
func hlogHeader(started time.Time) []byte {
	var b bytes.Buffer
	seconds := float64(started.UnixMilli()) / 1000
	fmt.Fprintf(&b, "#[Delivery latency in nanoseconds, one tag a transport]\n")
	fmt.Fprintf(&b, "#[Histogram log format version %s]\n", hdrhistogram.HISTOGRAM_LOG_FORMAT_VERSION)
	fmt.Fprintf(&b, "#[BaseTime: %.3f (seconds since epoch)]\n", seconds)
	fmt.Fprintf(&b, "#[StartTime: %.3f (seconds since epoch), %s]\n", seconds, started.UTC().Format(time.RFC3339))
	fmt.Fprintf(&b, "\"StartTimestamp\",\"Interval_Length\",\"Interval_Max\",\"Interval_Compressed_Histogram\"\n")
	return b.Bytes()
}

// emptyHistogram is what the log holds for an interval in which nothing came.
var emptyHistogram = func() string {
	encoded, err := Histogram{hdr: hdrhistogram.New(lowest, highest, digits)}.encode()
	if err != nil {
		panic(err)
	}
	return encoded
}()

// hlogLine is an interval as a line of the log: start and length in seconds, the
// maximum in milliseconds as the format has it for values in nanoseconds.
func hlogLine(i Interval) ([]byte, error) {
	encoded, err := i.Latency.encode()
	if err != nil {
		return nil, err
	}
	if encoded == "" {
		encoded = emptyHistogram
	}
	return []byte(hlogPrefix(i) + encoded + "\n"), nil
}

func hlogPrefix(i Interval) string {
	return fmt.Sprintf("Tag=%s,%.3f,%.3f,%.6f,", i.Transport, i.At.Seconds(), i.Length.Seconds(), Milliseconds(i.Latency.Max()))
}

// isHlogLine reports whether the line, without its line end, is the interval's.
func isHlogLine(line string, i Interval) bool {
	encoded, ok := strings.CutPrefix(line, hlogPrefix(i))
	if !ok {
		return false
	}
	if i.Latency.Count() == i.Latency.Overflow() {
		// Another version of Go may compress an empty histogram to other bytes.
		n, err := persisted{HDR: encoded, Overflow: 1}.inBuckets()
		return err == nil && n == 0
	}
	return encoded == i.Latency.encoded
}

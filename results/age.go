package results

import (
	"fmt"
	"time"
)

// Freshness is how old what clients hold is: the age of information of each
// subscription, which is a client and one of its topics. At an instant it is the
// time since the newest message held was due: it grows with time, and drops when a
// newer message comes (Kaul, Yates & Gruteser, "Real-time status: How often should
// one update?", INFOCOM 2012). Each nanosecond of the window weighs alike, so lost
// and superseded messages show up by themselves.
//
//	subscribed = covered + uncovered + never        time at each age = covered
type AgeOfInformation struct {
	Subscribed time.Duration `json:"subscribed_ns" add:"sum"` // the window's length, once for each subscription
	Covered    time.Duration `json:"covered_ns" add:"sum"`    // of it, the time in which a message was held
	Uncovered  time.Duration `json:"uncovered_ns" add:"sum"`  // before the first message was held: there is no age yet
	Never      time.Duration `json:"never_ns" add:"sum"`      // of topics that were published to and of which nothing was held by the window's close: infinite in the quantiles

	Area        float64       `json:"area_s2" add:"sum"`     // the integral of the age over the covered time, s²
	Oldest      time.Duration `json:"oldest_ns" add:"max"`   // exact
	Age         Histogram     `json:"age"`                   // its counts are the nanoseconds spent at each age, to a quarter of a percent
	Independent int64         `json:"independent" add:"sum"` // n of independent things behind the quantiles: publishes, or poll cycles where these are fewer
}

// Mean is the mean age over the covered time; 0 when nothing is covered.
func (f AgeOfInformation) Mean() time.Duration {
	if f.Covered <= 0 {
		return 0
	}
	return time.Duration(f.Area / f.Covered.Seconds() * float64(time.Second))
}

// check refuses a mean above the largest age. The mean is a sum of rounded products,
// hence the nanosecond.
func (f AgeOfInformation) check() error {
	if mean := f.Mean(); mean > f.Oldest+1 {
		return fmt.Errorf("freshness: the mean age is %v, and the largest %v", mean, f.Oldest)
	}
	return nil
}

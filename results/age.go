package results

import (
	"fmt"
	"time"
)

// AgeOfInformation is the staleness of the clients' data, over all subscriptions. A subscription
// is a client and one of its topics. Its age at an instant is the time since the due instant of the
// newest message received. It grows with time, and drops when a newer message is received (Kaul,
// Yates & Gruteser, "Real-time status: How often should one update?", INFOCOM 2012). Each
// nanosecond of the window has the same weight, so lost and superseded messages increase it.
//
//	subscribed = covered + uncovered + never        sum of the times at each age = covered
type AgeOfInformation struct {
	Subscribed time.Duration `json:"subscribed_ns" add:"sum"` // length of the window, once per subscription
	Covered    time.Duration `json:"covered_ns" add:"sum"`    // part after the first message
	Uncovered  time.Duration `json:"uncovered_ns" add:"sum"`  // part before the first message, without an age
	Never      time.Duration `json:"never_ns" add:"sum"`      // time of subscriptions without a message until the end of the window, although their topic had one: infinite in the quantiles

	Area        float64       `json:"area_s2" add:"sum"`     // integral of the age over the covered time, s²
	Oldest      time.Duration `json:"oldest_ns" add:"max"`   // largest age, exact
	Age         Histogram     `json:"age"`                   // counts are the nanoseconds at each age, to a quarter of a percent
	Independent int64         `json:"independent" add:"sum"` // number of independent observations behind the quantiles: publishes, or poll cycles if fewer
}

// Mean returns the mean age over the covered time; 0 if nothing is covered.
func (a AgeOfInformation) Mean() time.Duration {
	if a.Covered <= 0 {
		return 0
	}
	return time.Duration(a.Area / a.Covered.Seconds() * float64(time.Second))
}

// check returns an error if the mean exceeds the largest age. The mean is a sum of rounded
// products, hence the nanosecond.
func (a AgeOfInformation) check() error {
	if mean := a.Mean(); mean > a.Oldest+1 {
		return fmt.Errorf("the mean age is %v, above the largest age of %v", mean, a.Oldest)
	}
	return nil
}

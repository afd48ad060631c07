package scenarios

import (
	"encoding"
	"errors"
	"fmt"
	"math"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// The grammars of the units. The reader and the JSON Schema share them, so that an editor and
// pushbench accept the same text.
var (
	durationPattern = regexp.MustCompile(`^([0-9]+(\.[0-9]+)?(ns|us|µs|ms|s|m|h))+$`)
	ratePattern     = regexp.MustCompile(`^(0|[1-9][0-9]*)(\.[0-9]+)?/(s|min|h)$`)
	percentPattern  = regexp.MustCompile(`^(0|[1-9][0-9]*)(\.[0-9]+)?%$`)
	sizePattern     = regexp.MustCompile(`^(0|[1-9][0-9]*)(B|kB|KiB|MB|MiB)$`)
)

// rateUnits lists the seconds in each unit of a Rate, the preferred one first.
var rateUnits = []struct {
	name    string
	seconds float64
}{{"s", 1}, {"min", 60}, {"h", 3600}}

type sizeUnit struct {
	name  string
	bytes int64
}

// sizeUnits lists the units of a Size, the largest first.
var sizeUnits = []sizeUnit{{"MiB", 1 << 20}, {"MB", 1e6}, {"KiB", 1 << 10}, {"kB", 1e3}, {"B", 1}}

// spellings lists other spellings of each unit, in lower case.
var spellings = map[reflect.Type][]struct{ unit, words string }{
	reflect.TypeFor[Duration](): {{"ms", "ms msec millisecond milliseconds"}, {"s", seconds}, {"m", minutes}, {"h", hours}},
	reflect.TypeFor[Rate]():     {{"/s", seconds + " hz rps qps"}, {"/min", minutes + " rpm"}, {"/h", hours}},
	reflect.TypeFor[Size]():     {{"B", "b byte bytes"}, {"kB", "k kb"}, {"KiB", "ki kib"}, {"MB", "m mb"}, {"MiB", "mi mib"}},
}

const (
	seconds = "s sec secs second seconds"
	minutes = "m min mins minute minutes"
	hours   = "h hr hrs hour hours"
)

// otherSpelling is a number, perhaps with an exponent, in groups of three digits or in thousands, and a unit, perhaps with
// something between them.
var otherSpelling = regexp.MustCompile(`^([0-9][0-9.,_]*(?:[eE]\+?[0-9]{1,2})?)( ?[kK](?:/| per )| per | ?/? ?)(\pL+)$`)

// groups are the digits of a number in groups of three.
var groups = regexp.MustCompile(`^[0-9]{1,3}([,_][0-9]{3})+(\.[0-9]+)?$`)

// plainNumber is a number as files write it; "" if it is none. The factor says in what it counts.
func plainNumber(text, factor string) string {
	if groups.MatchString(text) {
		text = strings.NewReplacer(",", "", "_", "").Replace(text)
	}
	x, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return ""
	}
	if strings.ContainsAny(factor, "kK") {
		x *= 1000
	}
	return decimal(x)
}

// respelled returns the quantity that a text in another spelling means, or "".
func respelled(t reflect.Type, text string) string {
	parts := otherSpelling.FindStringSubmatch(text)
	if parts == nil {
		return ""
	}
	number := plainNumber(parts[1], parts[2])
	for _, s := range spellings[t] {
		meant := number + s.unit
		if meant != text && slices.Contains(strings.Fields(s.words), strings.ToLower(parts[3])) &&
			reflect.New(t).Interface().(encoding.TextUnmarshaler).UnmarshalText([]byte(meant)) == nil {
			return meant
		}
	}
	return ""
}

// ParseDuration reads a Duration in Go's syntax without a sign: "250ms", "1m30s".
// A bare number is an error, even "0", because its unit would be ambiguous.
func ParseDuration(text string) (Duration, error) {
	if !durationPattern.MatchString(text) {
		message := quote(text) + " is not a duration such as 250ms or 1m30s"
		if hint := meant(respelled(reflect.TypeFor[Duration](), text)); hint != "" {
			message += "; " + hint
		}
		return 0, errors.New(message)
	}
	d, err := time.ParseDuration(text)
	if err != nil {
		return 0, fmt.Errorf("%s is not a duration: it is longer than 292 years", quote(text))
	}
	return Duration(d), nil
}

// String writes d as ParseDuration reads it: in the largest of hours, minutes and seconds in which it is whole,
// as most files and flags do, such as "61m" and "90s".
func (d Duration) String() string {
	for _, unit := range []struct {
		name string
		of   time.Duration
	}{{"h", time.Hour}, {"m", time.Minute}, {"s", time.Second}} {
		if whole := time.Duration(d) / unit.of; whole != 0 && time.Duration(d)%unit.of == 0 {
			return strconv.FormatInt(int64(whole), 10) + unit.name
		}
	}
	return time.Duration(d).String()
}

// MarshalText writes d with its unit, in YAML and in JSON.
func (d Duration) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText reads text as ParseDuration does.
func (d *Duration) UnmarshalText(text []byte) (err error) {
	*d, err = ParseDuration(string(text))
	return err
}

// String writes r in the unit that needs the fewest digits. It does not round: the text reads as the
// same float64.
func (r Rate) String() string {
	best, unit := decimal(float64(r)), "s"
	for _, u := range rateUnits {
		var back Rate
		digits := decimal(fifteenDigits(float64(r) * u.seconds))
		if err := back.UnmarshalText([]byte(digits + "/" + u.name)); err == nil && back == r && len(digits) < len(best) {
			best, unit = digits, u.name
		}
	}
	return best + "/" + unit
}

// MarshalText writes r with its unit, in YAML and in JSON.
func (r Rate) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// UnmarshalText reads a plain decimal number, a slash, and s, min or h.
func (r *Rate) UnmarshalText(text []byte) error {
	number, name, _ := strings.Cut(string(text), "/")
	events, err := strconv.ParseFloat(number, 64)
	if err != nil || !ratePattern.Match(text) {
		return fmt.Errorf("%s is not a rate such as 200/s, 30/min or 1/h", quote(string(text)))
	}
	for _, u := range rateUnits {
		if u.name == name {
			events /= u.seconds
		}
	}
	*r = Rate(events)
	return nil
}

// String writes every digit of p.
func (p Percent) String() string { return decimal(float64(p)) + "%" }

// MarshalText writes p with its sign, in YAML and in JSON.
func (p Percent) MarshalText() ([]byte, error) { return []byte(p.String()), nil }

// UnmarshalText reads a plain decimal number and a percent sign.
func (p *Percent) UnmarshalText(text []byte) error {
	x, err := strconv.ParseFloat(strings.TrimSuffix(string(text), "%"), 64)
	if err != nil || !percentPattern.Match(text) {
		return fmt.Errorf("%s is not a percentage such as 5%% or 0.5%%", quote(string(text)))
	}
	*p = Percent(x)
	return nil
}

// String writes s in the unit that makes it shortest.
func (s Size) String() string {
	best := strconv.FormatInt(int64(s), 10) + "B"
	for _, u := range sizeUnits {
		text := strconv.FormatInt(int64(s)/u.bytes, 10) + u.name
		if int64(s)%u.bytes == 0 && len(text) < len(best) {
			best = text
		}
	}
	return best
}

// MarshalText writes s with its unit, in YAML and in JSON.
func (s Size) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads a whole number and B, kB (1000), KiB (1024), MB or MiB.
func (s *Size) UnmarshalText(text []byte) error {
	number := strings.TrimRight(string(text), "BkKMi")
	count, err := strconv.ParseInt(number, 10, 64)
	i := slices.IndexFunc(sizeUnits, func(u sizeUnit) bool { return u.name == string(text[len(number):]) })
	if err != nil || !sizePattern.Match(text) || count > math.MaxInt64/sizeUnits[i].bytes {
		return fmt.Errorf("%s is not a size such as 128B, 2kB or 64KiB", quote(string(text)))
	}
	*s = Size(count * sizeUnits[i].bytes)
	return nil
}

// decimal writes x with as many digits as it needs, and never with an exponent.
func decimal(x float64) string { return strconv.FormatFloat(x, 'f', -1, 64) }

// fifteenDigits rounds x to the digits that a float64 always keeps: 7/h is stored as 7 times 1/3600,
// and multiplying that by 3600 gives 7.000000000000001.
func fifteenDigits(x float64) float64 {
	rounded, err := strconv.ParseFloat(strconv.FormatFloat(x, 'g', 15, 64), 64)
	if err != nil {
		return x // beyond the largest float64
	}
	return rounded
}

package results

import (
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"strconv"
	"strings"
)

// Counts are added, subtracted and checked by one walk over the fields of a struct.
// The tag "add" of a numeric field is the rule for combining two values:
//
//	sum    the sum
//	max    the larger of the two
//	shown  the sum; 0 means not reported, and a sum with a part that is not reported is 0 too
//	mean   the mean over the trials; 0, which means not reported, unless all trials report it
//	-      unchanged
//
// "sum,max" is the sum over trials, which are sequential, and the larger value of the generators
// of one trial, which are concurrent. Histograms and counts by cause need no tag. A number must
// not be negative, unless its tag "check" is "-", nor above its tag "most". A field with the tag "walk" of "-" is skipped.

// Merge adds the result of another generator of the same trial.
func Merge[T any](to *T, from T) {
	walk("", reflect.ValueOf(to).Elem(), reflect.ValueOf(from), func(n number) {
		rules := strings.Split(n.tag.Get("add"), ",")
		n.add(rules[len(rules)-1], 1)
	})
}

// Pool combines trials: counts are summed and histograms merged, so that a metric of the pool
// gives each message the same weight. The fields that identify a trial are empty.
func Pool(trials []Trial) (p Trial) {
	for i, t := range trials {
		walk("", reflect.ValueOf(&p).Elem(), reflect.ValueOf(t), func(n number) {
			rule, _, _ := strings.Cut(n.tag.Get("add"), ",")
			n.add(rule, i)
		})
	}
	p.Pooled = len(trials)
	return p
}

// Minus returns the counts since an earlier reading.
func Minus[T any](later, earlier T) T {
	walk("", reflect.ValueOf(&later).Elem(), reflect.ValueOf(earlier), func(n number) {
		if n.to.CanInt() {
			n.to.SetInt(n.to.Int() - n.from.Int())
		}
	})
	return later
}

// Possible returns an error with the first number of a struct, or of a list or map in it, that is negative or above any
// that can be measured, by its JSON keys.
func Possible[T any](v T) (err error) {
	var check func(number)
	check = func(n number) {
		each(n.from, func(value reflect.Value) {
			switch {
			case err != nil:
			case value.Kind() == reflect.Struct && !value.Type().Implements(encoded): // of a list
				walk(n.name+"[].", value, value, check)
			default:
				err = n.possible(value)
			}
		})
	}
	walk("", reflect.ValueOf(&v).Elem(), reflect.ValueOf(v), check)
	return err
}

// possible returns an error if a value of the field is negative or above its largest one.
func (n number) possible(value reflect.Value) error {
	var x float64
	switch {
	case value.CanInt():
		x = float64(value.Int())
	case value.CanFloat():
		x = value.Float()
	}
	most, err := strconv.ParseFloat(n.tag.Get("most"), 64)
	if err != nil { // no tag
		most = largest
	}
	switch {
	case x < 0 && n.tag.Get("check") != "-":
		return fmt.Errorf("%s is negative: %v", n.name, value)
	case math.Abs(x) > most && (err == nil || value.CanFloat()): // a time may be of any length
		return fmt.Errorf("%s is %v; allowed: at most %g", n.name, value, most)
	}
	return nil
}

// each visits a value, or those of a list or map.
func each(v reflect.Value, visit func(reflect.Value)) {
	switch v.Kind() {
	case reflect.Slice:
		for i := range v.Len() {
			each(v.Index(i), visit)
		}
	case reflect.Map:
		for entry := v.MapRange(); entry.Next(); {
			each(entry.Value(), visit)
		}
	default:
		visit(v)
	}
}

// largest is far above every rate and time that can be measured, and can be drawn on an axis.
const largest = 1e15

// A number is a field of two values of a type: a number, a histogram or counts by cause. Fields
// of other types are visited too, and are not added.
type number struct {
	name     string // the JSON keys that lead to it: "cost.wire.up.bytes"
	tag      reflect.StructTag
	to, from reflect.Value
}

// encoded is implemented by structs that are a single value in JSON, such as Histogram.
var encoded = reflect.TypeFor[json.Marshaler]()

// walk visits the fields of two values of a struct type, and of the structs in them.
func walk(path string, to, from reflect.Value, visit func(number)) {
	for i := range to.NumField() {
		f, x, y := to.Type().Field(i), to.Field(i), from.Field(i)
		if !f.IsExported() || f.Tag.Get("walk") == "-" {
			continue
		}
		if f.Type.Kind() == reflect.Pointer {
			if y.IsNil() {
				continue
			}
			if x.IsNil() {
				x.Set(reflect.New(f.Type.Elem()))
			}
			x, y = x.Elem(), y.Elem()
		}
		key, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if x.Kind() == reflect.Struct && !x.Type().Implements(encoded) {
			walk(path+key+".", x, y, visit)
		} else {
			visit(number{path + key, f.Tag, x, y})
		}
	}
}

// add combines a value with the given number of earlier ones.
func (n number) add(rule string, before int) {
	switch to := n.to.Addr().Interface().(type) {
	case *Histogram:
		to.Merge(n.from.Interface().(Histogram))
	case *map[string]Histogram:
		for name, h := range n.from.Interface().(map[string]Histogram) {
			sum := (*to)[name]
			sum.Merge(h)
			put(to, name, sum)
		}
	case *map[string]int64:
		for cause, count := range n.from.Interface().(map[string]int64) {
			put(to, cause, (*to)[cause]+count)
		}
	default:
		if n.to.CanInt() {
			n.to.SetInt(combine(rule, n.to.Int(), n.from.Int(), before))
		} else if n.to.CanFloat() {
			n.to.SetFloat(combine(rule, n.to.Float(), n.from.Float(), before))
		}
	}
}

func put[V any](m *map[string]V, key string, value V) {
	if *m == nil {
		*m = map[string]V{}
	}
	(*m)[key] = value
}

func combine[T int64 | float64](rule string, sum, x T, before int) T {
	shown := x != 0 && (before == 0 || sum != 0)
	switch {
	case rule == "sum", rule == "shown" && shown:
		return sum + x
	case rule == "max":
		return max(sum, x)
	case rule == "mean" && shown:
		return sum + (x-sum)/T(before+1)
	case rule == "-":
		return sum
	default:
		return 0
	}
}

package results

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
)

// Counts are added, subtracted and checked by one walk over the fields of a struct.
// The tag "add" of a numeric field says how two of it become one:
//
//	sum    added up
//	max    the larger of the two
//	shown  added up; 0 means not shown, and a sum that lacks a part is not shown either
//	mean   the mean over the trials; 0, which is not shown, unless all trials show it
//	-      left as it is
//
// "sum,max" adds up over trials, which follow one another, and takes the larger of the
// generators of one trial, which run at the same time. Histograms and counts by cause
// need no tag. A number must not be negative, unless its tag "check" is "-". A field whose
// tag "walk" is "-" is left out of all this.

// Merge adds to a result that of another generator of the same trial.
func Merge[T any](to *T, from T) {
	walk("", reflect.ValueOf(to).Elem(), reflect.ValueOf(from), func(n number) {
		rules := strings.Split(n.tag.Get("add"), ",")
		n.add(rules[len(rules)-1], 1)
	})
}

// Pool adds trials up: counts are summed and histograms merged, so that a metric of the
// pool weighs each message alike. What identifies a trial is left empty.
func Pool(trials []Trial) (p Trial) {
	for i, t := range trials {
		walk("", reflect.ValueOf(&p).Elem(), reflect.ValueOf(t), func(n number) {
			rule, _, _ := strings.Cut(n.tag.Get("add"), ",")
			n.add(rule, i)
		})
	}
	return p
}

// Minus is what was counted since an earlier reading.
func Minus[T any](later, earlier T) T {
	walk("", reflect.ValueOf(&later).Elem(), reflect.ValueOf(earlier), func(n number) {
		if n.to.CanInt() {
			n.to.SetInt(n.to.Int() - n.from.Int())
		}
	})
	return later
}

// nonNegative names the first number of a struct that is negative, as its file does.
func nonNegative[T any](v T) (err error) {
	walk("", reflect.ValueOf(&v).Elem(), reflect.ValueOf(v), func(n number) {
		negative := n.from.CanInt() && n.from.Int() < 0 || n.from.CanFloat() && n.from.Float() < 0
		if negative && n.tag.Get("check") != "-" && err == nil {
			err = fmt.Errorf("%s is negative: %v", n.name, n.from)
		}
	})
	return err
}

// A number is one field of two values of a type: a number, a histogram or counts by
// cause. Fields of other types are visited too, and have nothing to add.
type number struct {
	name     string // the JSON keys that lead to it: "cost.wire.up.bytes"
	tag      reflect.StructTag
	to, from reflect.Value
}

// encoded is implemented by structs that are one value in JSON, such as Histogram.
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

// add adds one part to as many as were added before.
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

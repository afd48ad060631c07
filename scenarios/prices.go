package scenarios

import (
	"io"
	"io/fs"
	"reflect"
	"sync"

	"pushbench/results/price"
)

// priceRules is the rule of a price file: the fields of prices in a scenario.
var priceRules = sync.OnceValue(func() *Rule { return newRule(reflect.TypeFor[price.Prices](), "") })

// ReadPrices reads a price file. It is as strict as Read, and its errors are also of type *Error.
func ReadPrices(name string, r io.Reader) (p price.Prices, err error) {
	d, err := newDocument(name, r)
	if err != nil {
		return price.Prices{}, err
	}
	if err := d.decode(priceRules(), &p); err != nil {
		return price.Prices{}, err
	}
	if c := pricesConflict("", p); c != nil {
		return price.Prices{}, d.conflict(c)
	}
	return p, nil
}

// LoadPrices reads the price file at a path.
func LoadPrices(path string) (price.Prices, error) {
	file, err := open(path, &Error{File: path, Message: "does not exist; allowed: a file such as the output of pushbench prices", cause: fs.ErrNotExist})
	if err != nil {
		return price.Prices{}, err
	}
	defer file.Close()
	return ReadPrices(path, file)
}

// pricesConflict returns the first unmet condition between the fields of prices, which are at a path in
// their file. There are none in a scenario without them.
func pricesConflict(path string, p price.Prices) *conflict {
	if p.Currency == "" {
		return nil
	}
	if m := p.Conflict(); m != nil {
		return &conflict{field: path + m.Field, value: m.Value, message: m.Message}
	}
	return nil
}

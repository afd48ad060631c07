package scenarios

import (
	"reflect"
	"strings"
	"testing"
)

// FuzzVary checks that a sweep of one field changes no other, and that an error is one sentence.
func FuzzVary(f *testing.F) {
	for _, seed := range []string{"rate=10/s,100/s", "clients=1, 10", "batching_delay=0s,5ms", "tls=on,off", "payload=32", "target=a,b", "rate=1/s]\nclients: [7", "moon=1"} {
		name, values, _ := strings.Cut(seed, "=")
		f.Add(name, values)
	}
	f.Fuzz(func(t *testing.T, name, values string) {
		var s Scenario
		err := s.Vary(name, values)
		if err != nil {
			if strings.ContainsFunc(err.Error(), hidden) {
				t.Errorf("%q=%q: the error is not one printable line: %q", name, values, err)
			}
			return
		}
		var swept []string
		for i := range reflect.TypeFor[Sweep]().NumField() {
			if v := reflect.ValueOf(s.Sweep).Field(i); !v.IsZero() {
				swept = append(swept, reflect.TypeFor[Sweep]().Field(i).Name)
			}
		}
		if len(swept) > 1 {
			t.Errorf("%q=%q sweeps %v", name, values, swept)
		}
	})
}

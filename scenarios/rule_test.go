package scenarios

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// Struct tags cannot refer to constants, so values that other code also uses are written twice.
func TestTagsMatchTheConstants(t *testing.T) {
	rule := func(path ...string) *Rule {
		r := Rules()
		for _, name := range path {
			r = r.Fields[slices.IndexFunc(r.Fields, func(f *Rule) bool { return f.Name == name })]
		}
		return r
	}
	for _, c := range []struct{ got, want string }{
		{rule("servers").Max, strconv.Itoa(MaxServers)},
		{rule("version").Max, strconv.Itoa(Version)},
		{rule("transports").Default, strings.ReplaceAll(fmt.Sprint(Transports), " ", ", ")},
	} {
		if c.got != c.want {
			t.Errorf("got %s in the tag, want %s", c.got, c.want)
		}
	}
}

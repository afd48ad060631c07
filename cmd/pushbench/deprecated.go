package main

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"pushbench/cmd/internal/app"
)

// A rename is an old name of a flag and its name today.
type rename struct{ old, name string }

// deprecated are the old names of flags by command. They are accepted throughout this version.
var deprecated = map[string][]rename{
	"run": {
		{"blocks", "repetitions"},
		{"stack", "library"},
		{"flush", "batching-delay"},
		{"beside", "baseline"},
		{"let-sleep", "allow-idle"},
		{"lie", "inject"},
	},
	"crossover": {{"blocks", "repetitions"}},
	"capacity":  {{"slo", "require"}, {"most", "max"}},
	"serve": {
		{"stack", "library"},
		{"flush", "batching-delay"},
		{"hold", "max-poll-timeout"},
		{"answer-head", "response-header-bytes"},
		{"lie", "inject"},
	},
	"trace": {{"hold", "poll-timeout"}, {"quiet", "silence"}},
}

// deprecatedHelp is the annotation of a command with the line that ends its help.
const deprecatedHelp = "deprecated flags"

// usageTemplate is that of cobra and the line about deprecated flags.
func usageTemplate(root *cobra.Command) string {
	return root.UsageTemplate() + `{{with index .Annotations "` + deprecatedHelp + `"}}
{{.}}
{{end}}`
}

// acceptDeprecated makes a command accept the old names of its flags. Each is a hidden flag that
// sets the value of the flag by its new name.
func acceptDeprecated(c *cobra.Command) {
	var names []string
	for _, r := range deprecated[c.Name()] {
		is := c.Flags().Lookup(r.name)
		c.Flags().AddFlag(&pflag.Flag{Name: r.old, Usage: is.Usage, Value: is.Value, DefValue: is.DefValue, NoOptDefVal: is.NoOptDefVal, Hidden: true})
		names = append(names, fmt.Sprintf("--%s (--%s)", r.old, r.name))
	}
	if names != nil {
		c.Annotations = map[string]string{deprecatedHelp: "Deprecated names, still accepted: " + strings.Join(names, ", ")}
	}
}

// checkFlags checks the flags that several commands have, before a command starts.
func checkFlags(c *cobra.Command, args []string) error {
	if err := checkDeprecated(c, args); err != nil {
		return err
	}
	return cmp.Or(checkEmpty(c), checkPaths(c))
}

// mayBeEmpty lists the flags whose empty value has a meaning.
var mayBeEmpty = []string{"body", "header", "send"}

// checkEmpty refuses an empty value, such as that of a variable of a script that is not set: the flag would have no effect.
func checkEmpty(c *cobra.Command) (err error) {
	if c.Hidden { // pushbench itself starts it
		return nil
	}
	c.Flags().Visit(func(f *pflag.Flag) {
		if slices.Contains([]string{"", "[]", `[""]`}, f.Value.String()) && !slices.Contains(mayBeEmpty, f.Name) {
			err = cmp.Or(err, app.Usagef("--%s: the value is empty; allowed: a value, or a command line without --%s", f.Name, f.Name))
		}
	})
	return err
}

// checkDeprecated marks the flags that the command line gives by an old name as given, and warns
// about all of them in one line. It refuses a flag given by both names. Neither a server that a
// run starts nor the second process of one command line warns.
func checkDeprecated(c *cobra.Command, _ []string) error {
	var used []string
	for _, r := range deprecated[c.Name()] {
		if !c.Flags().Changed(r.old) {
			continue
		}
		is := c.Flags().Lookup(r.name)
		if is.Changed {
			return app.Usagef("--%s is the deprecated name of --%s; give only --%s", r.old, r.name, r.name)
		}
		is.Changed = true
		used = append(used, fmt.Sprintf("--%s is now --%s", r.old, r.name))
	}
	if used == nil || c.Flags().Changed("control") || app.InUserNamespace() {
		return nil
	}
	_, err := fmt.Fprintf(c.ErrOrStderr(), "pushbench: warning: deprecated: %s\n", strings.Join(used, ", "))
	return err
}

// oldServeFlags gives the flags of serve their old names. A baseline may be a build from before
// the renaming, and this version accepts both.
func oldServeFlags(argv []string) []string {
	old := append([]string{}, argv...)
	for i, arg := range old {
		for _, r := range deprecated["serve"] {
			if name, value, given := strings.Cut(arg, "="); name == "--"+r.name {
				old[i] = "--" + r.old
				if given {
					old[i] += "=" + value
				}
			}
		}
	}
	return old
}

package main

import (
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"pushbench/scenarios"
	"pushbench/scenarios/transports"
	"pushbench/servers/foreign"
)

// libraries are the values of --library.
var libraries = []cobra.Completion{string(scenarios.Reference), string(scenarios.NetHTTP), string(scenarios.FastHTTP)}

// completeScenarios completes the names of built-in scenarios, and files if no name matches.
func completeScenarios(_ *cobra.Command, _ []string, typed string) (found []cobra.Completion, _ cobra.ShellCompDirective) {
	for _, name := range scenarios.Names() {
		s, err := scenarios.Load(name)
		if err == nil && strings.HasPrefix(name, typed) {
			found = append(found, cobra.CompletionWithDesc(name, s.ShortQuestion))
		}
	}
	return found, cobra.ShellCompDirectiveDefault
}

// completeTargets completes the names of the targets that ship with pushbench, and files if no name matches.
func completeTargets(_ *cobra.Command, _ []string, typed string) (found []cobra.Completion, _ cobra.ShellCompDirective) {
	for _, name := range foreign.Names() {
		if t, err := shippedTarget(name); err == nil && strings.HasPrefix(name, typed) {
			found = append(found, cobra.CompletionWithDesc(name, t.About))
		}
	}
	return found, cobra.ShellCompDirectiveDefault
}

// completeTargetList completes the last of several targets, which commas separate.
func completeTargetList(c *cobra.Command, args []string, typed string) ([]cobra.Completion, cobra.ShellCompDirective) {
	before := typed[:strings.LastIndexByte(typed, ',')+1]
	found, directive := completeTargets(c, args, typed[len(before):])
	for i := range found {
		found[i] = before + found[i]
	}
	return found, directive
}

// completeFolders completes the folders of runs.
func completeFolders(*cobra.Command, []string, string) ([]cobra.Completion, cobra.ShellCompDirective) {
	return nil, cobra.ShellCompDirectiveFilterDirs
}

// firstArgument completes the first argument only.
func firstArgument(complete cobra.CompletionFunc) cobra.CompletionFunc {
	return func(c *cobra.Command, args []string, typed string) ([]cobra.Completion, cobra.ShellCompDirective) {
		if len(args) > 0 {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return complete(c, args, typed)
	}
}

// completeTransports returns the names of the transports with a trait, or of all if trait is nil, with
// their titles.
func completeTransports(trait func(transports.Transport) bool) (all []cobra.Completion) {
	for _, t := range transports.All() {
		if trait == nil || trait(t) {
			all = append(all, cobra.CompletionWithDesc(t.Name, t.Title))
		}
	}
	return all
}

// completeWord makes the shell complete the value of a flag.
func completeWord(c *cobra.Command, flag string, words []cobra.Completion) {
	register(c, flag, cobra.FixedCompletions(words, cobra.ShellCompDirectiveNoFileComp))
}

// completeList makes the shell complete the value of a flag that is a list separated by commas: each
// word once.
func completeList(c *cobra.Command, flag string, words []cobra.Completion) {
	register(c, flag, func(_ *cobra.Command, _ []string, typed string) (found []cobra.Completion, _ cobra.ShellCompDirective) {
		before := typed[:strings.LastIndexByte(typed, ',')+1]
		given := strings.Split(before, ",")
		for _, word := range words {
			if name, _, _ := strings.Cut(word, "\t"); !slices.Contains(given, name) {
				found = append(found, before+word)
			}
		}
		return found, cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveNoSpace
	})
}

func register(c *cobra.Command, flag string, complete cobra.CompletionFunc) {
	if err := c.RegisterFlagCompletionFunc(flag, complete); err != nil {
		panic(err) // only for a flag that the command does not have
	}
}

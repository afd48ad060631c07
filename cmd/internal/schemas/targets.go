package main

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"
	"strings"

	"pushbench/scenarios"
	"pushbench/scenarios/transports"
	"pushbench/servers/foreign"
)

const targetPage = "docs/targets/README.md"

// targetTable returns docs/targets/README.md with a row per target file that ships with pushbench.
func targetTable() ([]byte, error) {
	var b strings.Builder
	if err := introduce(&b, targetPage); err != nil {
		return nil, err
	}
	b.WriteString("\n| target | server | transports | promises | does not promise | needs |\n|---|---|---|---|---|---|\n")
	for _, name := range foreign.Names() {
		source, err := foreign.Source(name)
		if err != nil {
			return nil, err
		}
		t, err := scenarios.ReadTarget(name, bytes.NewReader(source))
		if err != nil {
			return nil, err
		}
		promised, not := promises(t)
		fmt.Fprintf(&b, "| [`%s`](%s.md) | %s | %s | %s | %s | %s |\n",
			name, name, cell(t.About), titles(t.Offered()), sentence(promised), sentence(not), requires(t))
	}
	return []byte(b.String()), nil
}

// promises lists what a target file promises, and what it does not.
func promises(t *scenarios.Target) (promised, not []string) {
	state := func(kept bool, what string) {
		if kept {
			promised = append(promised, what)
		} else {
			not = append(not, what)
		}
	}
	state(t.Promises.Order == scenarios.PerTopic, "order per topic")
	state(t.Promises.Delivery == scenarios.AtMostOnce, "no duplicates")
	lost := slices.DeleteFunc(t.Offered(), func(one scenarios.Transport) bool { return slices.Contains(t.Promises.Resume, one) })
	if resumed := t.Promises.Resume; len(resumed) > 0 {
		state(true, "resume over "+titles(resumed))
	}
	if len(lost) > 0 {
		state(false, "resume over "+titles(lost))
	}
	return promised, not
}

// titles names transports in prose.
func titles(all []scenarios.Transport) string {
	var names []string
	for _, one := range all {
		names = append(names, transports.Of(string(one)).Title)
	}
	return strings.Join(names, ", ")
}

// sentence joins what a cell of the table lists.
func sentence(all []string) string { return cmp.Or(strings.Join(all, "; "), "–") }

// requires says what must be installed: Debian packages by name, and else the programs.
func requires(t *scenarios.Target) string {
	needed := t.Start.Programs
	if packages := t.Start.Install; len(packages) > 1 {
		needed = nil
		for _, one := range packages[1:] { // after the program that installs them
			needed = append(needed, string(one))
		}
	}
	if len(needed) == 0 {
		return "your server"
	}
	return "`" + strings.Join(needed, "`, `") + "`"
}

package selftest

import (
	"fmt"

	"pushbench/bench/validity"
)

// gates: every validity check passes valid evidence and alone refuses what was corrupted for it.
func gates(*lab) (rows []Row, err error) {
	valid, corrupt := validity.Controls()
	refusals, kinds := map[string]int{}, map[string]int{}
	said := map[string]string{}
	for _, c := range corrupt {
		kinds[c.Check]++
		if c.Refused && c.Others == "" {
			refusals[c.Check]++
		} else {
			said[c.Check] = c.Detail + c.Others
		}
	}
	for _, g := range valid {
		measured := fmt.Sprintf("%d", refusals[g.Name])
		if said[g.Name] != "" {
			measured += ": " + said[g.Name]
		}
		rows = append(rows,
			holds(g.Name+": a sound trial", "passes", map[bool]string{true: "passes", false: g.Detail}[g.Passed], g.Passed),
			holds(g.Name+": spoilt trials refused", fmt.Sprint(kinds[g.Name]), measured, kinds[g.Name] > 0 && refusals[g.Name] == kinds[g.Name]))
	}
	return rows, nil
}

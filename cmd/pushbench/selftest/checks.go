package selftest

import "pushbench/bench/validity"

// validityChecks checks that every validity check accepts valid evidence, and alone rejects
// each trial that was corrupted for it.
func validityChecks(*lab) (rows []Result, err error) {
	valid, corrupt := validity.Controls()
	for _, g := range valid {
		kinds, rejected, detail := 0, 0, ""
		for _, c := range corrupt {
			if c.Check != g.Name {
				continue
			}
			if kinds++; c.Failed && c.OtherFailures == "" {
				rejected++
			} else {
				detail = ": " + c.Detail + c.OtherFailures
			}
		}
		rows = append(rows,
			Result{What: g.Name + ": a valid trial", Expected: "passes", Measured: map[bool]string{true: "passes", false: g.Detail}[g.Passed], Passed: g.Passed},
			exactly(g.Name+": corrupt trials rejected", kinds, rejected))
		if last := &rows[len(rows)-1]; detail != "" || kinds == 0 {
			last.Measured, last.Passed = last.Measured+detail, false
		}
	}
	return rows, nil
}

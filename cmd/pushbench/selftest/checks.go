package selftest

import "pushbench/bench/validity"

// gates: every check accepts valid evidence and refuses each that was corrupted for it, alone.
func gates(*lab) (rows []Result, err error) {
	valid, corrupt := validity.Controls()
	for _, g := range valid {
		kinds, refused, said := 0, 0, ""
		for _, c := range corrupt {
			if c.Check != g.Name {
				continue
			}
			if kinds++; c.Refused && c.Others == "" {
				refused++
			} else {
				said = ": " + c.Detail + c.Others
			}
		}
		rows = append(rows,
			Result{What: g.Name + ": a sound trial", Expected: "passes", Measured: map[bool]string{true: "passes", false: g.Detail}[g.Passed], Passed: g.Passed},
			exactly(g.Name+": spoilt trials refused", kinds, refused))
		if last := &rows[len(rows)-1]; said != "" || kinds == 0 {
			last.Measured, last.Passed = last.Measured+said, false
		}
	}
	return rows, nil
}

package results

import "fmt"

// The files of a run folder that hold what was measured. Everything else in a
// folder is derived from them.
const (
	manifestFile  = "manifest.json"
	scenarioFile  = "scenario.yaml"
	trialsFile    = "trials.jsonl"
	intervalsFile = "intervals.jsonl"
	hlogFile      = "latency.hlog"
	sumsFile      = "SHA256SUMS"
)

// partialSuffix marks the folder of a run that has not ended, or ended early.
const partialSuffix = ".partial"

// A Run is a run folder in memory.
type Run struct {
	Path      string
	Manifest  Manifest
	Trials    []Trial    // in the order they ended
	Intervals []Interval // in the order they were written
	Warnings  []string   // what is missing, when the folder was not finished
}

// A CorruptError says which file of a run folder cannot be trusted, where and why.
type CorruptError struct {
	File    string // as the folder names it
	Line    int    // from 1; 0 when it is about the whole file
	Problem string
	Err     error // the cause, or nil
}

func (e *CorruptError) Error() string {
	at := e.File
	if e.Line > 0 {
		at = fmt.Sprintf("%s:%d", e.File, e.Line)
	}
	if e.Err != nil {
		return fmt.Sprintf("corrupt result %s: %s: %v", at, e.Problem, e.Err)
	}
	return fmt.Sprintf("corrupt result %s: %s", at, e.Problem)
}

func (e *CorruptError) Unwrap() error { return e.Err }

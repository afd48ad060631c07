package results

import (
	"fmt"
	"strings"
)

// The files of a run folder that contain the measurement. All other files are derived from them.
const (
	manifestFile  = "manifest.json"
	scenarioFile  = "scenario.yaml"
	trialsFile    = "trials.jsonl"
	intervalsFile = "intervals.jsonl"
	sumsFile      = "SHA256SUMS"
)

// partialSuffix marks the folder of a run that is not finished, or ended early.
const partialSuffix = ".partial"

// A Run is a run folder in memory.
type Run struct {
	Path      string
	Manifest  Manifest
	Scenario  []byte     // the scenario file
	Trials    []Trial    // in the order of their ends
	Intervals []Interval // in the order of writing
	Warnings  []string   // what is missing, if the folder is not finished
}

// A CorruptError describes a corrupt file of a run folder.
type CorruptError struct {
	File    string // name in the folder
	Line    int    // from 1; 0: the whole file
	Problem string
	Err     error // the cause, or nil
}

func (e *CorruptError) Error() string {
	at := e.File
	if e.Line > 0 {
		at = fmt.Sprintf("%s:%d", e.File, e.Line)
	}
	text := "corrupt result " + at + ": " + e.Problem
	if e.Err != nil {
		text += ": " + e.Err.Error()
	}
	if text = Plain(text); len(text) > maxProblem { // it may quote the file
		text = strings.ToValidUTF8(text[:maxProblem], "") + " …"
	}
	return text
}

// maxProblem is the most bytes of a CorruptError's text.
const maxProblem = 400

func (e *CorruptError) Unwrap() error { return e.Err }

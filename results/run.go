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

// A Figure is a drawn chart: an SVG document for pages, a PNG for everything else.
type Figure struct {
	Name  string // file name without its extension
	Title string
	Alt   string // what it shows, for who cannot see it
	Basis string // what it rests on: n, blocks, gates, seed, commit
	SVG   []byte
	PNG   []byte

	Panels []Panel // the same as data; none where a picture says all
}

// A Panel is a part of a figure as data, for drawings that answer a reader's pointer.
type Panel struct {
	Title  string   `json:"title,omitempty"`
	X      string   `json:"x,omitempty"`
	Y      string   `json:"y"`
	XScale string   `json:"x_scale"`         // "linear", "log", "names", or "percentile": 1/(1−q) on a logarithmic scale
	YScale string   `json:"y_scale"`         // "linear" or "log"
	Names  []string `json:"names,omitempty"` // of the places 0, 1, 2, … of an axis of names
	Series []Series `json:"series"`
	Marks  []Mark   `json:"marks,omitempty"`
}

// A Series is one case in a panel. All slices are as long as X, or empty.
type Series struct {
	Case      string    `json:"case"`
	Transport string    `json:"transport"`
	Kind      string    `json:"kind"` // "line", "points", "bars" or, of what is predicted, "theory"
	Color     string    `json:"color"`
	Dash      []float64 `json:"dash,omitempty"`
	X         []float64 `json:"x"`
	Y         []float64 `json:"y"`
	Lo        []float64 `json:"lo,omitempty"` // the lowest of any block
	Hi        []float64 `json:"hi,omitempty"` // the highest
}

// A Mark is a place on the horizontal axis where something happened.
type Mark struct {
	X    float64 `json:"x"`
	Text string  `json:"text"`
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

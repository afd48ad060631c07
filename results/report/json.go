package report

import (
	"encoding/json"
	"io"
	"math"
	"slices"

	"pushbench/results"
	"pushbench/results/compare"
	"pushbench/results/metric"
	"pushbench/results/price"
	"pushbench/results/summary"
)

// The JSON of a run's summary, for programs. Fields may be added; no field changes its meaning.
type (
	summaryJSON struct {
		Scenario       string              `json:"scenario"`
		Status         results.Status      `json:"status"`
		Reason         string              `json:"reason,omitempty"`
		Badge          string              `json:"badge"` // VERDICT, ESTIMATE, or the status of a run that is not complete
		Repetitions    int                 `json:"valid_repetitions"`
		Sentences      []string            `json:"sentences"` // see Document.Sentences
		Configurations []configurationJSON `json:"configurations"`
		Assertions     []assertionJSON     `json:"assertions"`
		Comparisons    []comparisonJSON    `json:"comparisons"`
		Prices         pricesJSON          `json:"prices"`
		Document       Document            `json:"document"` // the report, as it is printed
	}
	pricesJSON struct {
		Per            string       `json:"per"` // what every amount and cost is for
		Assumptions    price.Prices `json:"assumptions"`
		Illustrative   bool         `json:"illustrative"` // some billed price is an example that no page states
		Configurations []billJSON   `json:"configurations"`
	}
	billJSON struct {
		Name  string                  `json:"name"`
		Price valueJSON               `json:"price"` // like all amounts and costs the median of the repetitions
		Items map[price.Item]itemJSON `json:"items"`
	}
	itemJSON struct {
		Amount valueJSON `json:"amount"` // cores, GB of memory, GB of egress, or millions of requests
		Cost   valueJSON `json:"cost"`
	}
	configurationJSON struct {
		Name      string                `json:"name"`
		Transport string                `json:"transport"`
		Trials    int                   `json:"valid_trials"`
		Saturated bool                  `json:"overloaded,omitempty"`
		Metrics   map[string]metricJSON `json:"metrics"`
	}
	metricJSON struct {
		valueJSON
		Unit      string     `json:"unit,omitempty"`
		Lo        *valueJSON `json:"lowest,omitempty"`
		Hi        *valueJSON `json:"highest,omitempty"`
		Predicted *float64   `json:"predicted,omitempty"`
	}
	valueJSON struct {
		Value       *float64 `json:"value"` // null if it is infinite or unknown
		Infinite    bool     `json:"infinite,omitempty"`
		Have        int64    `json:"available,omitempty"` // independent observations, if there are too few
		Requirement int64    `json:"required,omitempty"`  // independent observations that the metric needs
	}
	assertionJSON struct {
		Assertion     string          `json:"assertion"`
		Configuration string          `json:"configuration"`
		Outcome       compare.Outcome `json:"outcome"`
		Measured      valueJSON       `json:"measured"`
		Passed        int             `json:"passed_repetitions"`
		Of            int             `json:"repetitions"`
		Why           string          `json:"why,omitempty"`
	}
	comparisonJSON struct {
		Metric      string          `json:"metric"`
		A           string          `json:"a"`
		B           string          `json:"b"`
		Declared    bool            `json:"declared"`
		Repetitions int             `json:"repetitions"`
		Ratio       *float64        `json:"ratio_b_over_a"`
		Lo          *float64        `json:"lo_95"`
		Hi          *float64        `json:"hi_95"`
		Adjusted    *float64        `json:"p_holm"`
		Verdict     compare.Verdict `json:"verdict,omitempty"`
	}
)

// JSON writes the summary of a run for programs.
func (r *Report) JSON(w io.Writer) error {
	m, document := r.Run.Manifest, r.Document()
	s := summaryJSON{
		Scenario: m.Workload.Scenario, Status: m.Status, Reason: m.Reason, Badge: r.Badge(), Repetitions: r.Summary.ValidRepetitions,
		Document: document, Sentences: document.Sentences(), Configurations: []configurationJSON{}, Assertions: []assertionJSON{}, Comparisons: comparisonsJSON(r.Analysis),
	}
	for _, row := range r.Summary.Rows {
		c := configurationJSON{row.Name, row.Transport, len(row.Trials), row.Saturated, map[string]metricJSON{}}
		for _, m := range metric.All {
			one, v := metricJSON{Unit: m.Unit}, row.Typical(m.Name)
			one.valueJSON = valueOf(v)
			p, predicted := row.Predicted(m.Name)
			if predicted {
				one.Predicted = finite(p.Value)
			}
			if over, ok := row.Range(m.Name); ok {
				lo, hi := valueOf(over.Lo), valueOf(over.Hi)
				one.Lo, one.Hi = &lo, &hi
			}
			if predicted || v.Known != summary.NotShown {
				c.Metrics[m.Name] = one
			}
		}
		s.Configurations = append(s.Configurations, c)
	}
	for _, a := range r.Assertions {
		s.Assertions = append(s.Assertions, assertionJSON{a.Assertion.Text, a.Configuration, a.Outcome, valueOf(a.Measured), a.Passed, a.Repetitions, a.Why})
	}
	s.Prices = r.pricesJSON()
	return indented(w, s)
}

// pricesJSON has the prices of all configurations, item by item.
func (r *Report) pricesJSON() pricesJSON {
	p := r.Run.Manifest.Prices.OrDefault()
	all := pricesJSON{"1,000 clients and month", p, p.Illustrative(), []billJSON{}}
	for _, row := range r.Summary.Rows {
		of := billJSON{row.Name, valueOf(row.Typical(metric.Price)), map[price.Item]itemJSON{}}
		for _, i := range price.Items {
			amount, cost := row.Bill(i)
			of.Items[i] = itemJSON{valueOf(amount), valueOf(cost)}
		}
		all.Configurations = append(all.Configurations, of)
	}
	return all
}

func indented(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(v)
}

func valueOf(v summary.Value) valueJSON {
	switch v.Known {
	case summary.Shown:
		return valueJSON{Value: finite(v.X)}
	case summary.Infinite:
		return valueJSON{Infinite: true}
	case summary.TooFew:
		return valueJSON{Have: v.Have, Requirement: v.Requirement}
	}
	return valueJSON{}
}

// finite is nil for a value that JSON cannot represent.
func finite(x float64) *float64 {
	if math.IsNaN(x) || math.IsInf(x, 0) {
		return nil
	}
	return &x
}

func comparisonsJSON(a compare.Analysis) []comparisonJSON {
	all := []comparisonJSON{}
	for i, d := range slices.Concat(a.Family, a.Others) {
		all = append(all, comparisonJSON{
			Metric: d.Metric, A: d.Names[0], B: d.Names[1], Declared: i < len(a.Family), Repetitions: d.Repetitions,
			Ratio: finite(d.Ratio), Lo: finite(d.Lo), Hi: finite(d.Hi), Adjusted: finite(d.Adjusted), Verdict: d.Verdict,
		})
	}
	return all
}

// JSON writes the comparison for programs.
func (c *Comparison) JSON(w io.Writer) error {
	var second []comparisonJSON
	if c.Repeat != nil {
		second = comparisonsJSON(c.Repeat.Analysis)
	}
	return indented(w, struct {
		Scenario    string           `json:"scenario"`
		Repetitions int              `json:"repetitions"`
		Withheld    string           `json:"withheld,omitempty"`
		Sentences   []string         `json:"sentences"`
		Comparisons []comparisonJSON `json:"comparisons"`
		Second      []comparisonJSON `json:"second_measurement,omitempty"` // of the second measurement
	}{c.Runs[1].Manifest.Workload.Scenario, len(c.Analysis.Repetitions), c.Analysis.Withheld, c.Document().Sentences(), comparisonsJSON(c.Analysis), second})
}

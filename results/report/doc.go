// Package report says what a run found: in a terminal, in sentences, as
// Markdown, as an HTML page, and in the formats of other tools.
//
// It owns the words and the layout. It must never compute a figure that
// summary.Summary does not have nor a comparison that results/compare has not made,
// nor rank transports inside the noise: what two
// reports say about one run is the same.
package report

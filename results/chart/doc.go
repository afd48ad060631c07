// Package chart computes the charts of runs, capacity searches and comparisons as data, and draws any of
// them as SVG and PNG. The HTML report draws the same data.
//
// A function per chart returns panels and draws nothing; picture.go and panel.go draw all panels. The package owns
// the style: one colour, dash and marker per transport in every chart. It must never show a value that
// summary.Summary withholds, and each chart states its basis.
package chart

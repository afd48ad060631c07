// Package chart draws the figures of runs, searches and comparisons: as pictures in SVG and
// PNG, and as data that the page draws itself.
//
// It owns the look: one colour, dash and marker for each transport, everywhere. It must
// never show a value that summary.Summary withholds, and each figure states its basis.
package chart

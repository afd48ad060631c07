// Package chart draws the charts of runs, capacity searches and comparisons: as pictures in SVG and
// PNG, and as data that the HTML report draws.
//
// It owns the style: one colour, dash and marker per transport in every chart. It must never show a
// value that summary.Summary withholds, and each chart states its basis.
package chart

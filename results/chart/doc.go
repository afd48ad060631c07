// Package chart draws a run: latency by percentile, deliveries over time, what
// connecting takes, what a message costs, and what an idle client costs.
//
// It owns the look: one colour, dash and marker a transport, everywhere. It must
// never show a figure that summary.Summary refuses to print, and each chart
// carries what it rests on.
package chart

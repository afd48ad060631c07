//go:build race

package chart

// dpi is lower under the race detector, which checks each pixel access: drawing took longer than the
// run.
const dpi = 48

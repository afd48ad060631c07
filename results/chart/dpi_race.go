//go:build race

package chart

// dpi is less under the race detector, which watches each pixel: the pictures of a run took it
// longer than the run.
const dpi = 48

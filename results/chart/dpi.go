//go:build !race

package chart

// dpi is the resolution of the PNGs, fit for print.
const dpi = 192

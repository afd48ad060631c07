//go:build !nightly

package conformance

const whole = false

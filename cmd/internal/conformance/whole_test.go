//go:build nightly

package conformance

// whole has every library held to every case.
const whole = true

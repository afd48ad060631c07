//go:build nightly

package conformance

// nightly makes every library run every test.
const nightly = true

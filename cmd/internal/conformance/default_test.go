//go:build !nightly

package conformance

const nightly = false

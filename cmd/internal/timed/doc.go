// Package timed compares clients and servers with closed forms in real time: latencies over a link,
// ages, and the equality of both engines. Its tests require a quiet machine, so they are built only
// with -tags nightly. Package bench tests the same properties on a synthetic clock, on any machine.
package timed

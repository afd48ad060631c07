// Package timed holds both ends to closed forms in real time: latencies over a distance, ages,
// and that both engines measure alike. Its tests need a quiet machine, so they are built only
// with -tags nightly; what they hold is held on a synthetic clock in bench, at any time.
package timed

// Package endtoend starts the command as a user does, and measures: scripts that read as a
// manual, the CI action, builds that are wrong on purpose. It has only tests. They run after
// all others and alone, on a plain binary that is built once, and none of them may fail
// because the machine was busy: what a busy machine invalidates is measured again or forgiven,
// and counted.
package endtoend

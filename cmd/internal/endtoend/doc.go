// Package endtoend starts the command as a user does, and measures: scripts that serve as a
// manual, the CI action, builds with deliberate defects. It has only tests. They run after
// all others and alone, on a plain binary that is built once, and none of them may fail
// because the machine was busy: a run that a busy machine invalidated is repeated or forgiven,
// and counted.
package endtoend

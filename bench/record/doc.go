// Package record remembers what happened to every message of a trial: what each
// client was owed and what became of it, how long everything took, and how old what
// each client held was.
//
// It owns the ledger and the histograms while they are in memory. It must never
// drop, clamp or correct an observation, and never judges: gates do.
package record

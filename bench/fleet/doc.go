// Package fleet lets agents on other machines take part in a run. Coordinator and agents exchange messages over NATS.
//
// It contains the broker, the admission of agents, the calls of an agent's steps, and the offsets between clocks. No message
// of a trial passes through it: agents receive a scenario and its start, and publish to the server under test themselves. It
// must not depend on the trial.
package fleet

import "time"

// Times of the control plane.
const (
	beatEvery = time.Second     // between two signs of life
	silence   = 4 * time.Second // without one, the other side is considered gone
	helloWait = time.Second     // for the response to a greeting
)

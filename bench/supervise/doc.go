// Package supervise runs a server that is not pushbench's own, for the time of a trial.
//
// It owns the start, the readiness and the end of the server and of every process that the server starts:
// when the supervisor's input ends, all of them end. It must never speak the protocol of the server.
package supervise

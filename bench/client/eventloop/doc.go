// Package eventloop is the engine whose workers are threads, each with an event loop that
// serves thousands of clients. It requires Linux.
//
// It owns the loops, their timers and their non-blocking connections. It must never block
// outside its loop, know a message's content, or start a goroutine for a client.
package eventloop
